//! The icons, drawn here: a reader, and what stands in or above it. They differ in shape, so that nobody needs the colour,
//! and have a light rim, so that they are seen on a dark panel and on a light one.

use super::State;

/// Width and height, in pixels.
pub const SIZE: u32 = 32;

const RIM: [u8; 3] = [0xFF, 0xFF, 0xFF];
const BODY: [u8; 3] = [0x2B, 0x3A, 0x4A];
const SLOT: [u8; 3] = [0xD8, 0xDD, 0xE0];
const CARD: [u8; 3] = [0x00, 0x5E, 0xB8];
const CHIP: [u8; 3] = [0xFF, 0xD5, 0x4F];
const LAMP: [u8; 3] = [0x5C, 0xE0, 0x7A];
const ALARM: [u8; 3] = [0xC6, 0x28, 0x28];
const PAUSE: [u8; 3] = [0xB3, 0x5C, 0x00];

/// A rectangle: left, top, width, height.
type Area = [u32; 4];

/// The icon of a state, as rows of red, green, blue and opacity.
pub fn draw(state: State) -> Vec<u8> {
    let mut canvas = Canvas::empty();
    match state {
        State::Card => canvas.card(1),
        State::InUse => canvas.card(6),
        State::Stopped | State::NoReader | State::Reader | State::Paused => {}
    }
    canvas.rimmed([3, 17, 26, 12], BODY);
    canvas.fill([7, 19, 18, 2], SLOT);
    match state {
        State::Stopped => {
            canvas.rimmed([14, 1, 4, 7], ALARM);
            canvas.rimmed([14, 12, 4, 3], ALARM);
        }
        State::NoReader => canvas.cross(ALARM),
        State::Paused => {
            canvas.rimmed([9, 2, 5, 13], PAUSE);
            canvas.rimmed([18, 2, 5, 13], PAUSE);
        }
        State::InUse => {
            for left in [8, 14, 20] {
                canvas.fill([left, 23, 4, 4], LAMP);
            }
        }
        State::Reader | State::Card => {}
    }
    canvas.0
}

struct Canvas(Vec<u8>);

impl Canvas {
    fn empty() -> Self {
        Self(vec![0; (SIZE * SIZE * 4) as usize])
    }

    fn fill(&mut self, [left, top, width, height]: Area, [red, green, blue]: [u8; 3]) {
        for y in top..top + height {
            for x in left..left + width {
                let at = ((y * SIZE + x) * 4) as usize;
                self.0[at..at + 4].copy_from_slice(&[red, green, blue, 0xFF]);
            }
        }
    }

    /// With a rim of one pixel around it.
    fn rimmed(&mut self, [left, top, width, height]: Area, colour: [u8; 3]) {
        self.fill([left - 1, top - 1, width + 2, height + 2], RIM);
        self.fill([left, top, width, height], colour);
    }

    /// A card that stands in the slot.
    fn card(&mut self, top: u32) {
        self.rimmed([8, top, 16, 18], CARD);
        self.fill([11, top + 3, 5, 5], CHIP);
    }

    /// A cross over the whole.
    fn cross(&mut self, colour: [u8; 3]) {
        let diagonals = || (3..28).flat_map(|step| [(step, step), (30 - step, step)]);
        for (left, top) in diagonals() {
            self.fill([left - 2, top - 1, 6, 4], RIM);
        }
        for (left, top) in diagonals() {
            self.fill([left - 1, top, 4, 2], colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of an icon without colour, on a panel of this brightness.
    fn grey(state: State, panel: u32) -> Vec<u32> {
        let pixels = draw(state);
        let grey = |pixel: &[u8]| {
            let [red, green, blue, opacity] = [0, 1, 2, 3].map(|channel| u32::from(pixel[channel]));
            if opacity == 0 { panel } else { (red * 30 + green * 59 + blue * 11) / 100 }
        };
        pixels.chunks(4).map(grey).collect()
    }

    #[test]
    fn each_icon_differs_from_the_others_without_colour_too() {
        for panel in [0, 255] {
            for (at, state) in State::ALL.into_iter().enumerate() {
                for other in &State::ALL[..at] {
                    let (one, another) = (grey(state, panel), grey(*other, panel));
                    let differing = one.iter().zip(&another).filter(|(one, another)| one.abs_diff(**another) > 64);
                    assert!(differing.count() >= 40, "{state:?} and {other:?} on {panel}");
                }
            }
        }
    }

    #[test]
    fn each_icon_is_seen_on_a_dark_and_on_a_light_panel() {
        for panel in [0, 255] {
            for state in State::ALL {
                let seen = grey(state, panel).into_iter().filter(|grey| grey.abs_diff(panel) > 96).count();
                assert!(seen >= 60, "{state:?} on {panel}: {seen}");
            }
        }
    }
}
