//! Wraps lines at words, so that a terminal does not tear words and amounts apart. The lines after the first begin
//! where the text of the first one begins, after its time or label.

use unicode_width::UnicodeWidthChar;

/// Where the text of a line may begin at most; a line whose label is longer has no label.
const MAX_INDENT: usize = 20;
/// Fewer columns than this are not worth wrapping for.
const LEAST_TEXT: usize = 20;
/// A number and these words after it stay together.
const UNITS: [&str; 7] = ["LAB", "s", "ms", "H/s", "kH/s", "MH/s", "%"];

/// The text with no line wider than `columns`, as far as its words allow that.
pub(crate) fn wrapped(text: &str, columns: usize) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| wrapped_line(line, columns)).collect();
    lines.join("\n")
}

fn wrapped_line(line: &str, columns: usize) -> String {
    let indent = indent(line);
    if width(line) <= columns || columns < indent + LEAST_TEXT {
        return line.to_owned();
    }
    let begin = byte_at(line, indent);
    let mut wrapped = line[..begin].to_owned();
    let mut used = indent;
    for (place, words) in pieces(&line[begin..]).into_iter().enumerate() {
        let wide = width(words);
        let space = usize::from(place > 0);
        if place > 0 && used + space + wide > columns {
            wrapped.push('\n');
            wrapped.extend(std::iter::repeat_n(' ', indent));
            used = indent + wide;
        } else {
            wrapped.extend(std::iter::repeat_n(' ', space));
            used += space + wide;
        }
        wrapped.push_str(words);
    }
    wrapped
}

/// The column where the text of a line begins: after a label or time that is set off by two spaces.
fn indent(line: &str) -> usize {
    let columns: Vec<char> = visible(line).take(MAX_INDENT + 1).collect();
    let leading = columns.iter().take_while(|c| **c == ' ').count();
    let gap = (leading..columns.len().saturating_sub(1)).find(|at| columns[*at] == ' ' && columns[at + 1] == ' ');
    let text = gap.and_then(|gap| (gap..columns.len()).find(|at| columns[*at] != ' '));
    text.filter(|_| leading > 0).unwrap_or(if leading <= MAX_INDENT { leading } else { 0 })
}

/// What stays together: words, and numbers with their units.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut begin = 0;
    for (space, _) in text.match_indices(' ') {
        let next = text[space + 1..].split(' ').next().unwrap_or_default();
        let next: String = visible(next).filter(|c| !matches!(c, ',' | ';' | '.' | ':' | ')')).collect();
        let is_number = visible(&text[begin..space]).last().is_some_and(|c| c.is_ascii_digit());
        if !(is_number && UNITS.contains(&next.as_str())) {
            pieces.push(&text[begin..space]);
            begin = space + 1;
        }
    }
    pieces.push(&text[begin..]);
    pieces
}

fn width(text: &str) -> usize {
    visible(text).map(|c| c.width().unwrap_or(0)).sum()
}

/// The characters that a terminal shows, without the sequences that set colours.
fn visible(text: &str) -> impl Iterator<Item = char> {
    let mut is_sequence = false;
    text.chars().filter(move |c| {
        let was_sequence = is_sequence;
        is_sequence = if is_sequence { *c != 'm' } else { *c == '\u{1b}' };
        !was_sequence && !is_sequence
    })
}

/// The place of the visible character at this column. Labels and times are ASCII, so that a character is a column.
fn byte_at(line: &str, column: usize) -> usize {
    let mut is_sequence = false;
    let mut seen = 0;
    for (place, c) in line.char_indices() {
        if is_sequence {
            is_sequence = c != 'm';
        } else if c == '\u{1b}' {
            // A colour belongs to the text that follows it.
            if seen == column {
                return place;
            }
            is_sequence = true;
        } else if seen == column {
            return place;
        } else {
            seen += 1;
        }
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_wrap_at_words_under_their_text_and_amounts_stay_whole() {
        let line = "   12.3 s  block 7 (0000ab) confirms 12 payments, 71.25 LAB in all; Ada earns 50.00008 LAB";
        let shown = wrapped(line, 54);
        let expected =
            "   12.3 s  block 7 (0000ab) confirms 12 payments,\n           71.25 LAB in all; Ada earns 50.00008 LAB";
        assert_eq!(shown, expected);
        // One column less, and the amount goes to the next line as a whole.
        let narrow = wrapped(line, 50);
        assert!(narrow.ends_with("Ada earns\n           50.00008 LAB"), "{narrow}");
        assert!(wrapped(line, 54).lines().all(|line| line.len() <= 54));
    }

    #[test]
    fn each_line_has_the_indent_of_its_own_label() {
        let text = "Chainlab network one: 4 nodes in this process and more words\n  rules    layer transaction, a \
            block every 5.0 s on average\n           second line of words that wraps";
        let shown = wrapped(text, 40);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "Chainlab network one: 4 nodes in this");
        assert_eq!(lines[1], "process and more words");
        assert_eq!(
            (lines[2], lines[3]),
            ("  rules    layer transaction, a block", "           every 5.0 s on average")
        );
        assert_eq!(lines[5], "           wraps");
    }

    #[test]
    fn colours_take_no_room_and_long_words_are_not_torn() {
        let coloured = "    1.0 s  \u{1b}[36mAda\u{1b}[0m pays \u{1b}[33mBen\u{1b}[0m 1 LAB";
        assert_eq!(wrapped(coloured, 31), coloured);
        let word = "x".repeat(60);
        assert_eq!(wrapped(&format!("    1.0 s  see {word}"), 40), format!("    1.0 s  see\n           {word}"));
        for narrow in [0, 1, 15] {
            assert_eq!(wrapped(coloured, narrow), coloured);
        }
        assert_eq!(wrapped("", 40), "");
    }
}
