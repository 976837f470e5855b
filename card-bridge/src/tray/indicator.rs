//! The icon and its menu, as `tray-icon` has them, on the thread that they belong to.

use std::sync::mpsc::{Receiver, Sender};

use tokio::sync::mpsc::UnboundedSender;
use tray_icon::menu::{CheckMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tray_icon::{Icon, MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};

#[cfg(target_os = "linux")]
use super::host::Desktop;
use super::icon::{self, SIZE};
use super::{State, View, Wish};
use crate::controls::Admission;

/// As people know the program.
const NAME: &str = "Card Bridge";

const OPEN: &str = "open";
const DIAGNOSE: &str = "diagnose";
const PAUSE: &str = "pause";
const LOGIN: &str = "login";
const QUIT: &str = "quit";

/// What the icon's thread waits for.
pub enum Happening {
    /// There is something else to show.
    Changed(View),
    /// The person chose an entry of the menu.
    Chosen(Wish),
}

/// Shows the icon until nobody is there any more to be told of the person's wishes. Comes back at once where there is no
/// desktop.
pub fn run(
    view: View,
    has_service: bool,
    happenings: Sender<Happening>,
    happened: &Receiver<Happening>,
    wishes: &UnboundedSender<Wish>,
) {
    let Some(desktop) = desktop() else { return };
    // Before there is anything to choose.
    listen(happenings);
    let indicator = match desktop.settle(|| Indicator::show(&view, has_service)) {
        Ok(indicator) => indicator,
        Err(error) => return tracing::info!(%error, "no icon is shown: the desktop does not take it"),
    };
    let mut shown = Some(view);
    while let Ok(happening) = happened.recv() {
        match happening {
            Happening::Changed(view) if shown.as_ref() == Some(&view) => {}
            Happening::Changed(view) => {
                indicator.update(&view);
                shown = Some(view);
            }
            Happening::Chosen(wish) => {
                // The entry ticks itself when it is chosen; what is shown next is what came of it.
                shown = None;
                if wishes.send(wish).is_err() {
                    return;
                }
            }
        }
    }
}

/// The desktop to show an icon on; says in the log what it lacks.
#[cfg(target_os = "linux")]
fn desktop() -> Option<Desktop> {
    let desktop = Desktop::find();
    match &desktop {
        Ok(desktop) if desktop.watcher().is_some() => {}
        Ok(_) => tracing::info!("no icon is shown until the desktop has a place for it"),
        Err(error) => tracing::info!(%error, "no icon is shown: there is no desktop here"),
    }
    desktop.ok()
}

/// There is none yet.
#[cfg(not(target_os = "linux"))]
enum Desktop {}

#[cfg(not(target_os = "linux"))]
impl Desktop {
    fn settle<T>(&self, _: impl FnMut() -> T) -> T {
        match *self {}
    }
}

#[cfg(not(target_os = "linux"))]
fn desktop() -> Option<Desktop> {
    tracing::info!("no icon is shown: not made for this system yet");
    None
}

/// Has clicks and choices sent to the icon's thread.
fn listen(happenings: Sender<Happening>) {
    let clicks = happenings.clone();
    MenuEvent::set_event_handler(Some(move |event: MenuEvent| {
        let wish = match event.id().as_ref() {
            OPEN => Wish::Open,
            DIAGNOSE => Wish::Diagnose,
            PAUSE => Wish::PauseOrGoOn,
            LOGIN => Wish::StartAtLoginOrNot,
            QUIT => Wish::Quit,
            _ => return,
        };
        let _ = happenings.send(Happening::Chosen(wish));
    }));
    TrayIconEvent::set_event_handler(Some(move |event| {
        if let TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } = event {
            let _ = clicks.send(Happening::Chosen(Wish::Open));
        }
    }));
}

struct Indicator {
    icon: TrayIcon,
    words: MenuItem,
    pause: MenuItem,
    login: CheckMenuItem,
}

impl Indicator {
    fn show(view: &View, has_service: bool) -> anyhow::Result<Self> {
        let words = MenuItem::new(view.state.words(), false, None);
        let open = MenuItem::with_id(OPEN, "Open the Smartcard Service Centre", has_service, None);
        let diagnose = MenuItem::with_id(DIAGNOSE, "What is wrong?", true, None);
        let pause = MenuItem::with_id(PAUSE, pause_words(view.admission), true, None);
        let login = CheckMenuItem::with_id(LOGIN, "Start at login", true, view.starts_at_login, None);
        let quit = MenuItem::with_id(QUIT, "Quit", true, None);
        let line = PredefinedMenuItem::separator;
        let menu = Menu::with_items(&[&words, &line(), &open, &diagnose, &line(), &pause, &login, &line(), &quit])?;
        let icon = TrayIconBuilder::new()
            .with_id("card-bridge")
            .with_title(NAME)
            .with_tooltip(tooltip(view.state))
            .with_icon(picture(view.state)?)
            .with_menu(Box::new(menu))
            .build()?;
        Ok(Self { icon, words, pause, login })
    }

    fn update(&self, view: &View) {
        // The tooltip last: who has seen it change finds all the rest changed.
        self.words.set_text(view.state.words());
        self.pause.set_text(pause_words(view.admission));
        self.login.set_checked(view.starts_at_login);
        let drawn = picture(view.state).map_err(anyhow::Error::from);
        let shown = drawn.and_then(|picture| Ok(self.icon.set_icon(Some(picture))?));
        if let Err(error) = shown.and_then(|()| Ok(self.icon.set_tooltip(Some(tooltip(view.state)))?)) {
            tracing::warn!(%error, "the icon can't be changed");
        }
    }
}

fn picture(state: State) -> Result<Icon, tray_icon::BadIcon> {
    Icon::from_rgba(icon::draw(state), SIZE, SIZE)
}

/// On Linux the desktop puts the name above it.
fn tooltip(state: State) -> String {
    if cfg!(target_os = "linux") { state.words().to_owned() } else { format!("{NAME}: {}", state.words()) }
}

fn pause_words(admission: Admission) -> &'static str {
    match admission {
        Admission::Open => "Pause",
        Admission::Paused => "Go on",
    }
}
