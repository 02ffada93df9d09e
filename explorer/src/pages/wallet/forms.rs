//! The forms of the wallet: paying, history, making, importing, saving and deleting wallets. Their actions are in
//! `assets/wallet-*.js`.

use maud::{Markup, html};

/// The fee that the form suggests, in LAB: the smallest default fee of mempools that demand one.
const USUAL_FEE: &str = "0.00001";

/// A field with a hint, and a place for its error.
struct Field<'a> {
    id: &'a str,
    label: &'a str,
    hint: &'a str,
    value: Option<&'a str>,
    /// In characters. Browsers cut longer texts.
    longest: Option<u32>,
    /// The `inputmode`: which keyboard a phone shows.
    keyboard: &'a str,
    /// The id of a list of suggestions.
    list: Option<&'a str>,
}

impl Field<'_> {
    fn render(&self) -> Markup {
        let (hint, error) = (format!("{}-hint", self.id), format!("{}-error", self.id));
        html! {
            div.field {
                label for=(self.id) { (self.label) }
                input id=(self.id) type="text" list=[self.list] inputmode=(self.keyboard) value=[self.value]
                    maxlength=[self.longest]
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

/// The form for a payment, its preview, and the state of the last payment.
pub(super) fn send(max_msg_bytes: u64, has_coins: bool) -> Markup {
    let hint = format!("At most {max_msg_bytes} bytes. Anyone can read it, forever.");
    let fields = [
        Field {
            id: "send-to",
            label: "To",
            hint: "A person of the list, or an address. Typos are caught.",
            value: None,
            longest: Some(200),
            keyboard: "text",
            list: Some("send-people"),
        },
        Field {
            id: "send-amount",
            label: "Amount in LAB",
            hint: "For example 12 or 0.5.",
            value: None,
            longest: Some(40),
            keyboard: "decimal",
            list: None,
        },
        Field {
            id: "send-fee",
            label: "Fee in LAB",
            hint: "For the miner of the block. Payments with a higher fee go first.",
            value: Some(USUAL_FEE),
            longest: Some(40),
            keyboard: "decimal",
            list: None,
        },
        Field {
            id: "send-message",
            label: "Message (may be empty)",
            hint: &hint,
            value: None,
            longest: None,
            keyboard: "text",
            list: None,
        },
    ];
    html! {
        section.card.wallet-send aria-labelledby="send-title" {
            div {
                h2 #send-title { "Pay" }
                form #send-form novalidate {
                    @for field in &fields { (field.render()) }
                    @if has_coins { (coins()) }
                    datalist #send-people {}
                    button #send-preview .primary type="submit" { "Preview" }
                }
            }
            div { (preview(has_coins)) (status()) }
        }
    }
}

/// The coins that a payment may spend. `assets/wallet-coins.js` lists them.
fn coins() -> Markup {
    html! {
        fieldset.wallet-coins {
            legend { "From which coins" }
            p.muted { "A coin is spent whole. What the payment does not need comes back as a new coin, the change." }
            div.field {
                label for="coins-strategy" { "Take " }
                select #coins-strategy autocomplete="off" {
                    option value="largest" { "the largest first" }
                    option value="oldest" { "the oldest first" }
                    option value="exact" { "those that need no change, if there are such" }
                    option value="all" { "all that are checked" }
                }
            }
            p #coins-sum role="status" {}
            div #coins-table .table tabindex="0" role="region" aria-label="Coins of this wallet" hidden {
                table {
                    caption { "Only checked coins are spent" }
                    thead { tr {
                        th scope="col" { "Spend" }
                        th scope="col" .number { "LAB" }
                        th scope="col" { "Coin" }
                        th scope="col" { "Now" }
                    } }
                    tbody #coins-list {}
                }
            }
            p #coins-more .muted hidden { "These are the 200 largest coins." }
        }
    }
}

/// Mining in the browser.
pub(super) fn earn() -> Markup {
    html! {
        section {
            details #wallet-earn .card {
                summary { h2 { "Earn some LAB" } }
                p { "New money goes to the miner who finds a block, that is, a number that makes a hash small enough. \
                    Your browser can search for one as nodes do, and as fast as one of them: then it finds its share \
                    of the blocks, by luck." }
                p.buttons {
                    button #earn-mine .primary type="button" { "Mine a block for this wallet" }
                    button #earn-stop type="button" hidden { "Stop" }
                }
                p #earn-progress .muted {}
                p #earn-status role="status" {}
                details {
                    summary { "Experiment: out-mine the network" }
                    p { "At full speed, a browser can be stronger than all nodes of a small network together. Then it \
                        finds most blocks. The difficulty rises until blocks take their usual time again. Once the \
                        browser stops, the nodes alone take much longer for each block, and payments wait, until the \
                        difficulty has fallen. A miner with more than half of all hashing power can also undo \
                        payments: that is called a 51 % attack. Look at the " a href="/charts" { "charts" }
                        " meanwhile." }
                    p { input #earn-full type="checkbox"; " " label for="earn-full" { "Mine at full speed" } }
                }
                p.muted { "A node can also mine for this wallet, all day long: " code { "node -m <address>" } "." }
            }
        }
    }
}

fn preview(has_coins: bool) -> Markup {
    let signs = if has_coins {
        "the network, the coins that are spent and those that are made, each with its address and its amount in grains \
            (one LAB is 100,000,000 grains), and the message"
    } else {
        "the network, a random number, sender, receiver, amount and fee in grains (one LAB is 100,000,000 grains), and \
            the message"
    };
    html! {
        div #preview hidden {
            h3 #preview-title tabindex="-1" { "Is this right?" }
            p { "Nothing has been sent yet. Once sent, a payment cannot be undone." }
            dl #preview-facts {}
            p { "Your key signs this text: " (signs) "." }
            pre tabindex="0" { bdi dir="ltr" { code #preview-text {} } }
            p #preview-note .warn hidden { "Invisible characters are shown by their numbers here, such as ⟨U+202E⟩. \
                The signed text contains the characters themselves." }
            p.buttons {
                button #send-confirm .primary type="button" { "Sign and send" }
                button #send-cancel type="button" { "Edit" }
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

/// The name that the owner signs in.
pub(super) fn name() -> Markup {
    html! {
        section {
            details #wallet-naming .card {
                summary { h2 { "Sign in a name" } }
                p { "An address is no name: the network does not know who you are. Here you may tell this explorer, \
                    which then shows your name to everyone. Your key signs it; you can take it back." }
                form #name-form novalidate {
                    div.field {
                        label for="name-text" { "Your name" }
                        input #name-text type="text" maxlength="20" aria-describedby="name-text-error"
                            autocomplete="off"
                            autocapitalize="words" spellcheck="false";
                        (error_of("name-text"))
                    }
                    p.buttons {
                        button #name-sign type="submit" { "Sign and show it" }
                        button #name-remove type="button" hidden { "Take it back" }
                    }
                    p #name-status role="status" {}
                }
            }
        }
    }
}

/// The table of payments and rewards.
pub(super) fn history() -> Markup {
    html! {
        section aria-labelledby="history-title" {
            h2 #history-title { "History" }
            p #history-empty .muted hidden { "Nothing yet. Payments to this address will appear here." }
            div #history-table .table hidden {
                table {
                    caption { "Payments and rewards in LAB, newest first" }
                    thead { tr {
                        th scope="col" { "What" }
                        th scope="col" .number { "Amount" }
                        th scope="col" { "With whom, and message" }
                        th scope="col" { "Status" }
                        th scope="col" .number { "Balance after" }
                    } }
                    tbody #wallet-history {}
                }
            }
            p { a #history-more href="/wallet" hidden { "The whole history" } }
        }
    }
}

/// Making or importing a wallet.
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
                        input #wallet-exportable type="checkbox" checked aria-describedby="wallet-exportable-hint"; " "
                        label for="wallet-exportable" { "The key can be saved as a file later" }
                        p #wallet-exportable-hint .muted { "Without this, nobody can ever read the key from this \
                            browser. That is safest, but a lost browser is then a lost wallet." }
                    }
                    button #wallet-new .primary type="submit" { "Make a wallet" }
                }
                details { summary { h3 { "Import a key" } } (bring()) }
            }
        }
    }
}

fn bring() -> Markup {
    html! {
        p.muted { "Uses the name and setting above." }
        form #wallet-import novalidate {
            div.field {
                label for="wallet-pem" { "Key file (PEM)" }
                textarea #wallet-pem rows="5" maxlength="10000" placeholder="-----BEGIN PRIVATE KEY-----"
                    aria-describedby="wallet-pem-hint wallet-pem-error"
                    autocomplete="off" autocapitalize="none" spellcheck="false" {}
                p #wallet-pem-hint .muted { "The file that " code { "user new" } " writes, without a password. \
                    Browsers cannot open a file with a password. This command removes it: "
                    code { "openssl pkcs8 -in wallet.pem -out plain.pem" } }
                label.hidden for="wallet-file" { "Read the key from a file" }
                input #wallet-file type="file" accept=".pem,.key,text/plain";
                (error_of("wallet-pem"))
            }
            button type="submit" { "Import this key" }
        }
        form #wallet-from-seed novalidate {
            div.field {
                label for="wallet-seed" { "Seed" }
                input #wallet-seed type="text" maxlength="1000" aria-describedby="wallet-seed-hint wallet-seed-error"
                    autocomplete="off" autocapitalize="none" spellcheck="false";
                p #wallet-seed-hint .muted { "For exercises. The same text always makes the same key, here and with "
                    code { "user -s" }
                    ". Anyone who guesses the text can take the money." }
                (error_of("wallet-seed"))
            }
            button type="submit" { "Import the key of this seed" }
        }
    }
}

/// Where keys are kept; saving and deleting them.
pub(super) fn keep() -> Markup {
    html! {
        section.card aria-labelledby="keep-title" {
            h2 #keep-title { "Your keys" }
            p { "Your keys exist only in this browser profile, for pages of " code #wallet-origin {} ". Another \
                browser, a private window, or this explorer under another name has other wallets. If you clear the \
                browser's data, the keys are lost for ever." }
            p #wallet-locked { "The key of this wallet cannot be read, not even by you, so it cannot be saved anywhere \
                else. To move its money, pay it to another wallet." }
            p.buttons {
                button #wallet-export type="button" hidden { "Save the key as a file" }
                button #wallet-delete type="button" { "Delete this wallet" }
            }
            p #wallet-export-done role="status" hidden { "Saved in your downloads. Anyone who has the file can take \
                the money. Make it readable for you alone with "
                code { "chmod 600" } ", and pay with " code { "user send … -f <file>" } "." }
        }
    }
}

/// The question before a key is deleted.
pub(super) fn delete_dialog() -> Markup {
    html! {
        dialog #wallet-delete-dialog .card aria-labelledby="delete-title" {
            h2 #delete-title { "Delete this wallet?" }
            p #wallet-delete-name {}
            p { "Its key will be deleted too. Unless you have saved the key, the money of this address can never be \
                moved again." }
            p.buttons {
                button #wallet-delete-no type="button" { "Keep it" }
                button #wallet-delete-yes .bad type="button" { "Delete it for ever" }
            }
        }
    }
}
