//! The tracker's routes (docs/protocol.md §9).

use crate::routes::{self, RegisterQuery, ScrapeTarget};
use crate::state::TrackerState;
use http::Method;
use runtime::server::{Router, Shape, get};
use shared::wire::{Member, Registered};

pub(crate) fn router() -> Router<TrackerState> {
    let register = "Lists the caller, or renews its lease, after a call back to its `/info` within 2 seconds";
    let targets = "All members in the form of Prometheus' `http_sd_config`, so that it scrapes `/metrics` of each";
    Router::new("Chainlab tracker", "Where nodes and mempools find one another (docs/protocol.md §9).").group(
        "members",
        "Registration, and the lists of members",
        [
            get("/register", register, routes::register)
                .also(Method::POST)
                .changes_state()
                .query::<RegisterQuery>()
                .returns(Shape::of::<Registered>())
                .refuses(403, "`url` names another host than the caller's")
                .refuses(422, "The call back failed, or reached another kind of service (`rule` says which)")
                .refuses(429, "The caller's address has as many members listed as one may have")
                .refuses(
                    503,
                    "The tracker lists as many members as it may, or makes too many calls back, or one to this address",
                ),
            get("/nodes", "`host:port` of the live nodes of all networks", routes::nodes)
                .returns(Shape::plain::<Vec<String>>()),
            get("/members", "All members, with role, network, tip and last registration", routes::members)
                .returns(Shape::list_of::<Member>()),
            get("/targets", targets, routes::targets).returns(Shape::list_of::<ScrapeTarget>()),
        ],
    )
}
