//! Simulation of one to five nodes on one database: real daemons on the real engine and a real server, in virtual time.
//!
//! Each node has a thread with a paused runtime and a machine of its own, whose clocks go on only while no session is
//! lent; nodes go on side by side, a step at a time, and the clock of the database is set by the steps. So everything
//! that waits is virtual, and every statement is the one that is shipped. The plan of a world, its faults and its
//! answers follow from the seed; the order in which transactions of several nodes meet in the server does not, so that a
//! violation is looked for again with the same seed, and not always found at once.
//!
//! [`plan`] draws a world; [`driver`] executes it on a database of [`server`], with threads of [`node`] in a [`world`];
//! [`follower`] reads events as they come; [`books`] judges runs and messages as they come, [`judge`] what is stored. [`tests`] plants the hazards in [`scenes`] of several
//! nodes, one at a time, and proves that they are found.

mod books;
mod driver;
mod follower;
mod judge;
mod node;
mod plan;
mod scenes;
mod server;
mod tests;
mod world;
