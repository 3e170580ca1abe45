//! Behaviours that every engine must have, written against the facade and run on each engine.
//!
//! Decisions belong to the ledger and are tested there. An engine adds that effects are stored as they were
//! decided, together or not at all, that leases exclude each other, and that queues keep their order.

mod across;
mod bench;
#[cfg(feature = "postgres")]
mod chores;
mod commands;
mod deliveries;
#[cfg(feature = "postgres")]
mod elsewhere;
mod leases;
#[cfg(feature = "postgres")]
mod losses;
#[cfg(feature = "postgres")]
mod lost;
#[cfg(feature = "postgres")]
mod moves;
mod node;
#[cfg(feature = "postgres")]
mod nodes;
mod outages;
mod pages;
mod reads;
#[cfg(feature = "postgres")]
mod regions;
#[cfg(feature = "postgres")]
pub(super) mod server;
mod sharing;
#[cfg(feature = "postgres")]
mod speed;
mod status;
mod surplus;
mod together;

/// Runs each behaviour on every engine.
macro_rules! on_every_engine {
    ($($behaviour:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $behaviour() {
                    super::$behaviour($crate::store::conformance::bench::Bench::sqlite().await).await;
                }
            )+
        }
        #[cfg(feature = "postgres")]
        mod postgres {
            $(
                #[tokio::test]
                async fn $behaviour() {
                    super::$behaviour($crate::store::conformance::bench::Bench::postgres().await).await;
                }
            )+
        }
    };
}
use on_every_engine;
