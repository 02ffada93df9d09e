//! What `/pushtx` is, as OpenAPI; `admission` does the work.

use shared::ledger::Transaction;
use shared::wire::{Problem, Pushed};

macro_rules! described {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[expect(dead_code, reason = "carries the description of an endpoint")]
        const fn $name() {}
    };
}

described! {
    /// Offers a transaction, or a JSON string that contains one; answered when it is on disk.
    #[utoipa::path(post, path = "/pushtx", request_body = Transaction, responses(
        (status = 201, body = Pushed, description = "Taken"),
        (status = 200, body = Pushed, description = "Known, pending or confirmed"),
        (status = 400, body = Problem, description = "Not a transaction"),
        (status = 413, body = Problem, description = "More than 64 KiB"),
        (status = 422, body = Problem, description = "A broken rule"),
        (status = 429, body = Problem, description = "Too many from this source"),
        (status = 503, body = Problem, description = "No room for it now"),
    ))]
    push
}
described! {
    /// The same as `POST /pushtx`.
    #[utoipa::path(put, path = "/pushtx", request_body = Transaction, responses((status = 201, body = Pushed), (status = 200, body = Pushed), (status = 422, body = Problem)))]
    put
}
