//! The chart of a report: a line for each figure, told apart by its dashes as well as by its colour. It has a title and a
//! description; the table below it says the same in numbers.

use leptos::prelude::*;

use crate::{server_fns::reports::Counts, t};

/// Its size and the room for its labels, in units of the drawing.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 28.0;

/// A chart.
#[component]
pub fn Chart(
    /// What happened in each step, and its first day.
    lines: Vec<(String, Counts)>,
    /// What is counted.
    names: [&'static str; 4],
) -> impl IntoView {
    let (days, steps): (Vec<String>, Vec<Counts>) = lines.into_iter().unzip();
    let most = steps.iter().flatten().copied().max().unwrap_or_default();
    let first = days.first().cloned().unwrap_or_default();
    let last = days.last().cloned().unwrap_or_default();
    let series = [0, 1, 2, 3].map(|series| {
        let counts: Vec<u64> = steps.iter().map(|counts| counts[series]).collect();
        let class = format!("app-chart__line app-chart__line--{series}");
        view! { <polyline class=class points=points(&counts, most) /> }
    });
    let legend = names.into_iter().enumerate().map(|(series, name)| {
        let class = format!("app-chart__line app-chart__line--{series}");
        view! {
            <li class="app-chart__name">
                <svg class="app-chart__sample" viewBox="0 0 40 8" aria-hidden="true" focusable="false">
                    <polyline class=class points="0,4 40,4" />
                </svg>
                {name}
            </li>
        }
    });
    let view_box = format!("0 0 {WIDTH} {HEIGHT}");
    let floor = HEIGHT - BOTTOM;
    let description = t::reports_chart_description(&first, &last, &most.to_string());
    view! {
        <figure class="app-chart">
            <svg class="app-chart__drawing" viewBox=view_box role="img" aria-labelledby="chart-title" aria-describedby="chart-description">
                <title id="chart-title">{t::reports_chart_title()}</title>
                <desc id="chart-description">{description}</desc>
                <line class="app-chart__axis" x1=LEFT y1=floor x2=WIDTH y2=floor />
                <line class="app-chart__axis" x1=LEFT y1=TOP x2=LEFT y2=floor />
                <text class="app-chart__label" x=LEFT - 6.0 y=TOP + 12.0 text-anchor="end">{most.to_string()}</text>
                <text class="app-chart__label" x=LEFT - 6.0 y=floor text-anchor="end">"0"</text>
                <text class="app-chart__label" x=LEFT y=HEIGHT - 6.0>{first.clone()}</text>
                <text class="app-chart__label" x=WIDTH y=HEIGHT - 6.0 text-anchor="end">{last.clone()}</text>
                {series.into_iter().collect_view()}
            </svg>
            <ul class="nhsuk-list app-chart__legend">{legend.collect_view()}</ul>
        </figure>
    }
}

/// The corners of a line. A single step is drawn as a level line.
#[expect(clippy::cast_precision_loss, reason = "a drawing has some hundred units")]
fn points(counts: &[u64], most: u64) -> String {
    let height = HEIGHT - BOTTOM - TOP;
    let y = |count: u64| TOP + height * (1.0 - count as f64 / most.max(1) as f64);
    if let [count] = counts {
        return format!("{LEFT:.1},{0:.1} {WIDTH:.1},{0:.1}", y(*count));
    }
    let step = (WIDTH - LEFT) / counts.len().saturating_sub(1).max(1) as f64;
    let corners = counts.iter().enumerate().map(|(at, count)| {
        let x = LEFT + step * at as f64;
        format!("{x:.1},{:.1}", y(*count))
    });
    corners.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_from_edge_to_edge_and_from_the_floor_to_the_top() {
        assert_eq!(points(&[0, 5, 10], 10), "56.0,232.0 348.0,122.0 640.0,12.0");
        assert_eq!(points(&[0, 0], 0), "56.0,232.0 640.0,232.0");
        assert_eq!(points(&[4], 4), "56.0,12.0 640.0,12.0");
        assert_eq!(points(&[], 4), "");
    }
}
