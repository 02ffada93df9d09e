//! The wallet's forms: paying, the history, making and bringing wallets, saving and deleting them. Their texts only: what
//! they do is in `assets/wallet-*.js`.

use maud::{Markup, html};

/// What a miner gets unless the sender says otherwise: the least that mempools take by default where they ask for some.
const USUAL_FEE: &str = "0.00001";

/// A field, with what it is for and a place for what is wrong with it.
struct Field<'a> {
    id: &'a str,
    label: &'a str,
    hint: &'a str,
    value: Option<&'a str>,
    /// In characters. What is longer is cut off as it is pasted.
    longest: Option<u32>,
    /// How a phone's keyboard looks.
    keyboard: &'a str,
}

impl Field<'_> {
    fn render(&self) -> Markup {
        let (hint, error) = (format!("{}-hint", self.id), format!("{}-error", self.id));
        html! {
            div.field {
                label for=(self.id) { (self.label) }
                input id=(self.id) type="text" inputmode=(self.keyboard) value=[self.value] maxlength=[self.longest]
                    aria-describedby={ (error) " " (hint) } autocomplete="off" autocapitalize="none" spellcheck="false";
                p.muted id=(hint) { (self.hint) }
                (error_of(self.id))
            }
        }
    }
}

fn error_of(field: &str) -> Markup {
    html! { p.bad id={ (field) "-error" } role="alert" hidden {} }
}

/// The form that pays, the preview, and how the payment is doing.
pub(super) fn send(max_msg_bytes: u64) -> Markup {
    let said = format!("At most {max_msg_bytes} bytes. Everybody can read it, for good.");
    let fields = [
        Field {
            id: "send-to",
            label: "To",
            hint: "The address of the one who is paid. A mistyped one is noticed.",
            value: None,
            longest: Some(200),
            keyboard: "text",
        },
        Field {
            id: "send-amount",
            label: "Amount in LAB",
            hint: "As in 12 or 0.5.",
            value: None,
            longest: Some(40),
            keyboard: "decimal",
        },
        Field {
            id: "send-fee",
            label: "Fee in LAB",
            hint: "For whoever mines the payment into a block; those who pay more go first.",
            value: Some(USUAL_FEE),
            longest: Some(40),
            keyboard: "decimal",
        },
        Field {
            id: "send-message",
            label: "Message (may be empty)",
            hint: &said,
            value: None,
            longest: None,
            keyboard: "text",
        },
    ];
    html! {
        section.card.wallet-send aria-labelledby="send-title" {
            div {
                h2 #send-title { "Pay" }
                form #send-form novalidate {
                    @for field in &fields { (field.render()) }
                    button #send-preview .primary type="submit" { "Preview" }
                }
            }
            div { (preview()) (status()) }
        }
    }
}

/// Mining in the browser.
pub(super) fn earn() -> Markup {
    html! {
        section {
            details #wallet-earn .card {
                summary { h2 { "Earn some" } }
                p { "New money goes to whoever finds a block: a number for which a hash is small enough. Your browser can search for "
                    "one as the nodes do. It takes luck, and usually some seconds." }
                p.buttons {
                    button #earn-mine .primary type="button" { "Mine a block for this wallet" }
                    button #earn-stop type="button" hidden { "Stop" }
                }
                p #earn-progress .muted {}
                p #earn-status role="status" {}
                p.muted { "A node can do it too, all day long: " code { "node -m <address>" } "." }
            }
        }
    }
}

fn preview() -> Markup {
    html! {
        div #preview hidden {
            h3 #preview-title tabindex="-1" { "Is this right?" }
            p { "Nothing is sent yet. Once it is, it cannot be called back." }
            dl #preview-facts {}
            p { "This text is what your key signs: the network, a random number, from, to, amount and fee in grains "
                "(a LAB has 100,000,000), message." }
            pre tabindex="0" { bdi dir="ltr" { code #preview-text {} } }
            p #preview-note .warn hidden { "Characters that would not show stand here by their numbers, as in ⟨U+202E⟩; "
                "what is signed are the characters." }
            p.buttons {
                button #send-confirm .primary type="button" { "Sign and send" }
                button #send-cancel type="button" { "Change something" }
            }
        }
    }
}

fn status() -> Markup {
    html! {
        div #send-status tabindex="-1" role="group" aria-label="Your last payment" hidden {
            p #send-words role="status" {}
            progress #send-progress max="6" value="0" aria-label="Confirmations, of 6" hidden {}
            p { button #send-again type="button" hidden { "Send the same payment again" } }
        }
    }
}

/// The table of payments and rewards.
pub(super) fn history() -> Markup {
    html! {
        section aria-labelledby="history-title" {
            h2 #history-title { "History" }
            p #history-empty .muted hidden { "Nothing yet. Payments to this address show up here by themselves." }
            div #history-table .table hidden {
                table {
                    caption { "What this wallet paid, was paid and earned, in LAB, newest first" }
                    thead { tr {
                        th scope="col" { "What" }
                        th scope="col" .number { "Amount" }
                        th scope="col" { "Who, and what was said" }
                        th scope="col" { "Where it is" }
                        th scope="col" .number { "Then held" }
                    } }
                    tbody #wallet-history {}
                }
            }
            p { a #history-more href="/wallet" hidden { "The whole history" } }
        }
    }
}

/// Making a wallet, or bringing one.
pub(super) fn add() -> Markup {
    html! {
        section {
            details #wallet-add .card {
                summary { h2 { "Make a wallet" } }
                form #wallet-make novalidate {
                    div.field {
                        label for="wallet-name" { "Name" }
                        input #wallet-name type="text" maxlength="40" placeholder="My wallet"
                            aria-describedby="wallet-name-error" autocomplete="off";
                        (error_of("wallet-name"))
                    }
                    div.field {
                        input #wallet-exportable type="checkbox" aria-describedby="wallet-exportable-hint"; " "
                        label for="wallet-exportable" { "The key can be saved as a file later" }
                        p #wallet-exportable-hint .muted { "If not, nobody can ever read it out of this browser, which is safest; "
                            "but then it exists nowhere else." }
                    }
                    button #wallet-new .primary type="submit" { "Make a wallet" }
                }
                details { summary { h3 { "Or bring a key that you have" } } (bring()) }
            }
        }
    }
}

fn bring() -> Markup {
    html! {
        p.muted { "The name and the choice above count here too." }
        form #wallet-import novalidate {
            div.field {
                label for="wallet-pem" { "Key file (PEM)" }
                textarea #wallet-pem rows="5" maxlength="10000" placeholder="-----BEGIN PRIVATE KEY-----"
                    aria-describedby="wallet-pem-hint wallet-pem-error"
                    autocomplete="off" autocapitalize="none" spellcheck="false" {}
                p #wallet-pem-hint .muted { "What " code { "user new" } " writes. It must be plain: "
                    "browsers cannot open one that is locked with a password, but "
                    code { "openssl pkcs8 -in wallet.pem -out plain.pem" } " can." }
                label.hidden for="wallet-file" { "Read the key from a file" }
                input #wallet-file type="file" accept=".pem,.key,text/plain";
                (error_of("wallet-pem"))
            }
            button type="submit" { "Bring this key" }
        }
        form #wallet-from-seed novalidate {
            div.field {
                label for="wallet-seed" { "Seed" }
                input #wallet-seed type="text" maxlength="1000" aria-describedby="wallet-seed-hint wallet-seed-error"
                    autocomplete="off" autocapitalize="none" spellcheck="false";
                p #wallet-seed-hint .muted { "For exercises: the same text always makes the same key, here and in " code { "user -s" }
                    ". Whoever guesses the text has the money." }
                (error_of("wallet-seed"))
            }
            button type="submit" { "Bring this seed's key" }
        }
    }
}

/// Where the keys are, saving one, deleting one.
pub(super) fn keep() -> Markup {
    html! {
        section.card aria-labelledby="keep-title" {
            h2 #keep-title { "Your keys" }
            p { "They live in this browser profile only, for the pages of " code #wallet-origin {} ". "
                "Another browser, a private window, or the same explorer under another name has wallets of its own. "
                "If you clear the browser's data, they are gone, and nobody can bring them back." }
            p #wallet-locked { "The key of this wallet cannot be read out, not even by you: it cannot be saved anywhere else. "
                "To move its money, pay it to another wallet." }
            p.buttons {
                button #wallet-export type="button" hidden { "Save the key as a file" }
                button #wallet-delete type="button" { "Delete this wallet" }
            }
            p #wallet-export-done role="status" hidden { "Saved with your downloads. Whoever has the file has the money. "
                code { "chmod 600" } " makes it yours alone, and " code { "user send … -f <file>" } " pays with it." }
        }
    }
}

/// The question before a key is gone.
pub(super) fn delete_dialog() -> Markup {
    html! {
        dialog #wallet-delete-dialog .card aria-labelledby="delete-title" {
            h2 #delete-title { "Delete this wallet?" }
            p #wallet-delete-name {}
            p { "Its key is deleted with it. Unless you have saved the key, whatever the address holds can never be moved again." }
            p.buttons {
                button #wallet-delete-no type="button" { "Keep it" }
                button #wallet-delete-yes .bad type="button" { "Delete it for good" }
            }
        }
    }
}
