//! Node of a world: a thread with a runtime of its own, on which a daemon runs step by step.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use super::plan::{Defect, Stop};
use super::world::{World, assembly};
use crate::daemon::{Clock, Running};
use crate::domain::{Location, NodeIdentity, Timestamp};
use crate::simulation::dice::Dice;
use crate::store::{Machine, Opening, Store, Trick};

/// Time since its start of a machine at the first instant of a world.
pub(super) const BOOTED: Duration = Duration::from_hours(1);
/// Time between two tries to put files in force.
const RELOAD_PAUSE: Duration = Duration::from_secs(5);

/// Order to the thread of a node.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// Goes on until so long after the start of its machine.
    Until(Duration),
    /// Stands still for so long, in this manner.
    Pause(Duration, Stop),
    /// Cuts it from the database, or ends that.
    Cut(bool),
    /// Sets its wall clock wrong, by milliseconds.
    Skew(i64),
    Command(Command),
}

/// Command to a daemon.
#[derive(Clone, Copy, Debug)]
pub(super) enum Command {
    /// Reads its files again.
    Reload,
    /// Stops in good order.
    Stop,
}

/// Thread of a node in one life.
pub(super) struct Node {
    orders: mpsc::Sender<Order>,
    reached: mpsc::Receiver<()>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Circumstances of a life.
pub(super) struct Life {
    /// World that it is in.
    pub(super) world: Arc<World>,
    /// Number of the node.
    pub(super) number: usize,
    /// Number of the life, over all nodes.
    pub(super) serial: u64,
    /// Location of the database.
    pub(super) location: Location,
    /// Time since the start of its machine.
    pub(super) booted: Duration,
    /// Error of its wall clock in milliseconds.
    pub(super) skew: i64,
}

impl Node {
    /// Starts a life, which waits for its first order.
    pub(super) fn start(life: Life) -> Self {
        let (orders, given) = mpsc::channel();
        let (arrival, reached) = mpsc::channel();
        let thread = thread::Builder::new().name(format!("node-{}", life.number));
        let thread = thread.spawn(move || run(&life, &given, &arrival)).unwrap();
        Self { orders, reached, thread: Some(thread) }
    }

    fn order(&self, order: Order) {
        // A daemon that has ended takes no orders.
        self.orders.send(order).ok();
    }

    /// Lets it go on until so long after the start of its machine.
    pub(super) fn go(&self, until: Duration) {
        self.order(Order::Until(until));
    }

    /// Waits until it is there; returns false when it has ended.
    pub(super) fn is_there(&self) -> bool {
        self.reached.recv().is_ok()
    }

    /// Notes that it has stood still.
    pub(super) fn stood_still(&self, time: Duration, stop: Stop) {
        self.order(Order::Pause(time, stop));
    }

    /// Cuts it from the database, or ends that.
    pub(super) fn cut(&self, is_cut: bool) {
        self.order(Order::Cut(is_cut));
    }

    /// Sets its wall clock wrong.
    pub(super) fn skew(&self, millis: i64) {
        self.order(Order::Skew(millis));
    }

    /// Gives its daemon a command.
    pub(super) fn command(&self, command: Command) {
        self.order(Order::Command(command));
    }
}

impl Drop for Node {
    /// Kills it: nothing that it does is ended in good order.
    fn drop(&mut self) {
        self.orders = mpsc::channel().0;
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn run(life: &Life, orders: &mpsc::Receiver<Order>, arrival: &mpsc::Sender<()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    runtime.block_on(Box::pin(async {
        let wall = Timestamp(life.world.plan.start.0 + life.skew).minus(BOOTED);
        let defect = life.world.plan.defect;
        let hazard = match defect {
            Some(Defect::Engine(hazard)) => Some(hazard),
            Some(Defect::Clocks | Defect::Reports) | None => None,
        };
        let tricks = tricks(life);
        let machine = Machine::begin(life.booted, wall, hazard, tricks);
        let (commands, commanded) = unbounded_channel();
        tokio::select! {
            biased;
            () = steps(&machine, orders, arrival, &commands) => (),
            () = live(life, commanded) => (),
        }
    }));
}

/// Returns the accidents of its transactions.
fn tricks(life: &Life) -> Box<dyn FnMut() -> Trick> {
    let plan = &life.world.plan;
    let (calm, [lingering, lost]) = (plan.calm, plan.tricks);
    let (least, most) = plan.linger_ms;
    let mut dice = Dice::new(plan.seed, &[4, life.serial]);
    Box::new(move || {
        let millis = u32::try_from(dice.within(least..=most)).unwrap_or(1);
        let is_calm = calm <= super::world::now();
        if dice.chance(lost) && !is_calm {
            *dice.pick(&[Trick::LostBefore, Trick::LostAfter])
        } else if dice.chance(lingering) {
            Trick::Lingers(millis)
        } else {
            Trick::None
        }
    })
}

/// Goes on as it is ordered; while it waits for an order the thread stands still, and with it the daemon.
async fn steps(
    machine: &Machine,
    orders: &mpsc::Receiver<Order>,
    arrival: &mpsc::Sender<()>,
    commands: &UnboundedSender<Command>,
) {
    while let Ok(order) = orders.recv() {
        match order {
            Order::Until(until) => {
                sleep(until.saturating_sub(machine.since_boot())).await;
                machine.idle().await;
                if arrival.send(()).is_err() {
                    return;
                }
            }
            Order::Pause(time, Stop::Sleep) => machine.sleep(time),
            Order::Pause(time, Stop::Signal) => tokio::time::advance(time).await,
            Order::Cut(is_cut) => machine.cut(is_cut),
            Order::Skew(millis) => machine.skew(millis),
            Order::Command(command) => drop(commands.send(command)),
        }
    }
}

/// Lives until the daemon ends.
async fn live(life: &Life, mut commanded: UnboundedReceiver<Command>) {
    let Life { world, number, .. } = life;
    let number = *number;
    let said = |what: &str| world.note(format_args!("n{number} {what}"));
    let store = match Store::open_as(&life.location, &opening(world, number)).await {
        Ok(store) => store,
        Err(error) => return said(&format!("cannot open the store: {error}")),
    };
    let clock = match world.plan.defect {
        Some(Defect::Clocks) => Clock::default(),
        Some(Defect::Engine(_) | Defect::Reports) | None => {
            store.time().map_or_else(Clock::default, Clock::of_server)
        }
    };
    let (files, probe) = (Arc::clone(world), Arc::clone(world));
    let files: crate::daemon::Files = Arc::new(move || assembly(&files, number));
    let probe = Arc::new(move |host: &str| probe.answers(number, host));
    let started = Running::start_node(Arc::clone(&files), store, clock, probe).await;
    let mut running = match started {
        Ok(running) => running,
        Err(error) => return said(&format!("cannot start: {error}")),
    };
    said("has started");
    if running.is_active() {
        world.in_force(number);
    }
    loop {
        let command = tokio::select! {
            ended = running.ended_early() => return said(&format!("has ended: {ended}")),
            Some(command) = commanded.recv() => command,
        };
        match command {
            Command::Reload => {
                while let Err(error) = running.reload(&files()).await {
                    said(&format!("cannot reload: {error}"));
                    if error.is_configuration() {
                        break;
                    }
                    sleep(RELOAD_PAUSE).await;
                }
                if running.is_active() {
                    world.in_force(number);
                }
            }
            Command::Stop => {
                let stopped = running.stop().await;
                return said(&format!("has stopped: {stopped:?}"));
            }
        }
    }
}

fn opening(world: &World, number: usize) -> Opening {
    let region = world.plan.nodes[number];
    let labels = region.map(|region| ("region".to_owned(), region.to_owned()));
    let node = NodeIdentity { name: format!("n{number}"), labels: labels.into_iter().collect() };
    Opening { node, ..Opening::default() }
}
