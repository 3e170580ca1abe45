//! Plot of false alerts against the detection of outages, as an SVG.

use std::fmt::Write;

use super::{Evaluation, Line, OWN};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
/// Edges of the area that is plotted, in pixels: left, top, right, bottom.
const AREA: [f64; 4] = [70.0, 40.0, 560.0, 400.0];
/// Fewest false alerts that are shown; fewer are drawn at this line.
const LEAST: f64 = 0.01;
const MOST: f64 = 1000.0;

/// Scales of a plot.
#[derive(Clone, Copy, Debug)]
struct Scales {
    /// Latest detection that is shown, in seconds.
    latest: f64,
}

impl Scales {
    fn x(self, secs: f64) -> f64 {
        let [left, _, right, _] = AREA;
        left + (right - left) * (secs / self.latest).clamp(0.0, 1.0)
    }

    fn y(alerts: f64) -> f64 {
        let [_, top, _, bottom] = AREA;
        let share = (alerts.clamp(LEAST, MOST) / LEAST).log10() / (MOST / LEAST).log10();
        bottom - (bottom - top) * share
    }
}

/// Returns the plot of an evaluation, under `title`.
pub(super) fn plot(title: &str, evaluation: &Evaluation) -> String {
    let lines = evaluation.lines();
    let latest = lines.iter().map(|line| line.outage.value).fold(0.0, f64::max);
    let step = if latest < 1500.0 { 100.0 } else { 1000.0 };
    let scales = Scales { latest: (latest / step).ceil() * step };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<title>{title}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"70\" y=\"24\" font-size=\"14\">{title}</text>\n"
    );
    axes(&mut svg, scales, step);
    bound(&mut svg, scales, evaluation, &lines[0]);
    for (place, line) in lines.iter().enumerate() {
        point(&mut svg, scales, place, line);
    }
    svg.push_str("</svg>\n");
    svg
}

fn axes(svg: &mut String, scales: Scales, step: f64) {
    let [left, top, right, bottom] = AREA;
    let grid = "stroke=\"#ddd\"";
    for exponent in -2..=3_i32 {
        let alerts = 10_f64.powi(exponent);
        let y = Scales::y(alerts);
        let (at, below) = (left - 8.0, y + 4.0);
        writeln!(
            svg,
            "<line x1=\"{left}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" {grid}/>\
             <text x=\"{at}\" y=\"{below:.1}\" text-anchor=\"end\">{alerts}</text>"
        )
        .unwrap();
    }
    let mut secs = 0.0;
    while secs <= scales.latest {
        let (x, below) = (scales.x(secs), bottom + 18.0);
        writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{top}\" x2=\"{x:.1}\" y2=\"{bottom}\" {grid}/>\
             <text x=\"{x:.1}\" y=\"{below}\" text-anchor=\"middle\">{secs}</text>"
        )
        .unwrap();
        secs += step;
    }
    let (middle, below) = (f64::midpoint(left, right), bottom + 42.0);
    let height = f64::midpoint(top, bottom);
    writeln!(
        svg,
        "<text x=\"{middle}\" y=\"{below}\" text-anchor=\"middle\">mean detection of an outage, seconds</text>\n\
         <text x=\"18\" y=\"{height}\" text-anchor=\"middle\" transform=\"rotate(-90 18 {height})\">\
         false alerts per integration-year</text>"
    )
    .unwrap();
}

/// Draws the bound, below which no policy can be.
fn bound(svg: &mut String, scales: Scales, evaluation: &Evaluation, own: &Line) {
    let curve = evaluation.bound.curve(own.lone.value);
    let mut path = String::new();
    for (place, (secs, alerts)) in curve.iter().enumerate() {
        let verb = if place == 0 { 'M' } else { 'L' };
        write!(path, "{verb}{:.1} {:.1} ", scales.x(*secs), Scales::y(*alerts)).unwrap();
    }
    let last = curve.last().map(|(_, alerts)| Scales::y(*alerts)).unwrap_or_default();
    let [_, _, right, _] = AREA;
    writeln!(
        svg,
        "<path d=\"{path}L{right} {last:.1}\" fill=\"none\" stroke=\"#888\" stroke-width=\"2\" \
         stroke-dasharray=\"5 3\"/>\n\
         <line x1=\"580\" y1=\"46\" x2=\"600\" y2=\"46\" stroke=\"#888\" stroke-width=\"2\" \
         stroke-dasharray=\"5 3\"/><text x=\"610\" y=\"50\">bound: no policy is below</text>"
    )
    .unwrap();
}

/// Draws the point of a policy, and its entry in the legend.
fn point(svg: &mut String, scales: Scales, place: usize, line: &Line) {
    let number = place + 1;
    let is_own = line.name == OWN;
    let (color, weight) = if is_own { ("#c00", "bold") } else { ("#246", "normal") };
    let name = line.name.replace("**", "");
    let (x, y) = (scales.x(line.outage.value), Scales::y(line.false_alerts.value));
    let legend = 50.0 + 22.0 * f64::from(u32::try_from(number).unwrap());
    for (x, y) in [(x, y), (590.0, legend - 4.0)] {
        let text = y + 4.0;
        writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"8\" fill=\"{color}\"/>\
             <text x=\"{x:.1}\" y=\"{text:.1}\" fill=\"white\" text-anchor=\"middle\" \
             font-size=\"10\">{number}</text>"
        )
        .unwrap();
    }
    writeln!(svg, "<text x=\"610\" y=\"{legend}\" font-weight=\"{weight}\">{name}</text>").unwrap();
}
