//! Keyboard shortcuts: what a manifest asks for, what was pressed, and whose a combination is.
//!
//! A combination belongs to at most one shortcut. Without the user's choice that is the one that was there first,
//! so that a plugin which comes later takes nothing away.

use std::fmt;

/// A combination of keys on one system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chord {
    ctrl: bool,
    alt: bool,
    shift: bool,
    meta: bool,
    /// One character, letters in upper case, or the name of a key as browsers call it.
    key: String,
}

/// The system whose keyboard it is: `Cmd` means another key on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// `Cmd` is Command.
    Mac,
    /// `Cmd` is Ctrl.
    Other,
}

/// A key press as a browser tells it.
#[derive(Clone, Copy, Debug)]
pub struct Press<'a> {
    /// Whether Ctrl is held.
    pub ctrl: bool,
    /// Whether Alt, or Option, is held.
    pub alt: bool,
    /// Whether Shift is held.
    pub shift: bool,
    /// Whether Command, or the Windows key, is held.
    pub meta: bool,
    /// `KeyboardEvent.key`
    pub key: &'a str,
    /// `KeyboardEvent.code`
    pub code: &'a str,
}

/// Why a text is no combination that a plugin can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChordError {
    /// A part before the last names no modifier.
    UnknownModifier,
    /// The last part names no key.
    UnknownKey,
    /// It would be pressed by whoever writes a text (WCAG 2.2, success criterion 2.1.4).
    NeedsModifier,
}

impl fmt::Display for ChordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownModifier => "has a part that is none of Cmd, Ctrl, Alt and Shift",
            Self::UnknownKey => "must end in one key, such as `A`, `7`, `F2` or `ArrowUp`",
            Self::NeedsModifier => {
                "needs Cmd, Ctrl or Alt, or a function key, so that nobody types it by accident"
            }
        })
    }
}

impl std::error::Error for ChordError {}

/// Keys by other names than browsers use.
const NAMES: [(&str, &str); 13] = [
    ("esc", "Escape"),
    ("return", "Enter"),
    ("del", "Delete"),
    ("ins", "Insert"),
    ("up", "ArrowUp"),
    ("down", "ArrowDown"),
    ("left", "ArrowLeft"),
    ("right", "ArrowRight"),
    ("plus", "+"),
    ("space", "Space"),
    (" ", "Space"),
    ("pgup", "PageUp"),
    ("pgdn", "PageDown"),
];

/// Keys that have names.
const KEYS: [&str; 15] = [
    "Escape",
    "Enter",
    "Tab",
    "Backspace",
    "Delete",
    "Insert",
    "Home",
    "End",
    "PageUp",
    "PageDown",
    "ArrowUp",
    "ArrowDown",
    "ArrowLeft",
    "ArrowRight",
    "Space",
];

/// Keys that write another character when Shift or Option is held, by their place on the keyboard.
const PLACES: [(&str, &str); 11] = [
    ("Slash", "/"),
    ("Comma", ","),
    ("Period", "."),
    ("Semicolon", ";"),
    ("Quote", "'"),
    ("BracketLeft", "["),
    ("BracketRight", "]"),
    ("Backslash", "\\"),
    ("Minus", "-"),
    ("Equal", "="),
    ("Backquote", "`"),
];

/// Combinations that browsers, the clipboard and this page use, after `Cmd+`.
const RESERVED: &str = "A C F G H J L N O P Q R S T U V W X Y Z + - = 0 1 2 3 4 5 6 7 8 9 Tab Enter Space F4 F5 \
    Shift+C Shift+I Shift+J Shift+N Shift+P Shift+Q Shift+R Shift+T Shift+V Shift+W Shift+Z Shift+Tab Shift+Delete";
/// The same, in full and alike on every system.
const RESERVED_IN_FULL: &str = "F1 F3 F5 F6 F7 F10 F11 F12 Shift+F6 Shift+F10 Alt+F4 Alt+ArrowLeft Alt+ArrowRight \
    Alt+Home Alt+Tab Alt+Shift+Tab Alt+Space Alt+Escape";

impl Chord {
    /// Reads a combination such as `Cmd+Shift+A`. Case does not count.
    ///
    /// # Errors
    /// When it names no keys, or could be typed by accident.
    pub fn parse(text: &str, system: System) -> Result<Self, ChordError> {
        let text = text.trim();
        let (held, key) = match text.strip_suffix("++") {
            // The plus sign is a key, too.
            Some(held) => (held, "+"),
            None if text == "+" => ("", text),
            None => text.rsplit_once('+').unwrap_or(("", text)),
        };
        let mut chord =
            Self { ctrl: false, alt: false, shift: false, meta: false, key: key_named(key.trim())? };
        for part in held.split('+').map(str::trim).filter(|part| !part.is_empty()) {
            *chord.modifier(part, system)? = true;
        }
        let function = chord.key.len() > 1 && chord.key.starts_with('F');
        if chord.ctrl || chord.alt || chord.meta || function {
            Ok(chord)
        } else {
            Err(ChordError::NeedsModifier)
        }
    }

    fn modifier(&mut self, name: &str, system: System) -> Result<&mut bool, ChordError> {
        match name.to_ascii_lowercase().as_str() {
            "cmd" | "command" | "mod" | "cmdorctrl" | "commandorcontrol" => match system {
                System::Mac => Ok(&mut self.meta),
                System::Other => Ok(&mut self.ctrl),
            },
            "ctrl" | "control" => Ok(&mut self.ctrl),
            "alt" | "option" | "opt" => Ok(&mut self.alt),
            "shift" => Ok(&mut self.shift),
            "meta" | "super" | "win" => Ok(&mut self.meta),
            _ => Err(ChordError::UnknownModifier),
        }
    }

    /// The combination that was pressed; none while only modifiers are.
    #[must_use]
    pub fn pressed(press: Press<'_>) -> Option<Self> {
        let key = key_pressed(press.key, press.code)?;
        let Press { ctrl, alt, shift, meta, .. } = press;
        Some(Self { ctrl, alt, shift, meta, key })
    }

    /// Its name, which is the same for every way to write it: `Ctrl+Shift+A`.
    #[must_use]
    pub fn name(&self) -> String {
        self.with_modifiers([
            ("Ctrl+", self.ctrl),
            ("Alt+", self.alt),
            ("Shift+", self.shift),
            ("Meta+", self.meta),
        ])
    }

    /// As the keys of a system are labelled.
    #[must_use]
    pub fn shown(&self, system: System) -> String {
        match system {
            System::Mac => {
                self.with_modifiers([("⌃", self.ctrl), ("⌥", self.alt), ("⇧", self.shift), ("⌘", self.meta)])
            }
            System::Other => self.name(),
        }
    }

    fn with_modifiers(&self, modifiers: [(&str, bool); 4]) -> String {
        let mut text = String::new();
        for (name, _) in modifiers.into_iter().filter(|(_, held)| *held) {
            text.push_str(name);
        }
        text.push_str(&self.key);
        text
    }

    /// Whether browsers, the clipboard or this page use it.
    #[must_use]
    pub fn is_reserved(&self, system: System) -> bool {
        let (command, bare) = match system {
            System::Mac => (self.meta, Self { meta: false, ..self.clone() }),
            System::Other => (self.ctrl, Self { ctrl: false, ..self.clone() }),
        };
        let listed = |list: &str, chord: &Self| {
            let name = chord.name();
            list.split_whitespace().any(|reserved| reserved == name)
        };
        (command && listed(RESERVED, &bare)) || listed(RESERVED_IN_FULL, self)
    }
}

fn key_named(name: &str) -> Result<String, ChordError> {
    let lower = name.to_ascii_lowercase();
    let name = NAMES.iter().find(|(other, _)| *other == lower).map_or(name, |(_, name)| name);
    let mut characters = name.chars();
    if let (Some(one), None) = (characters.next(), characters.next()) {
        let drawn = !one.is_control() && !one.is_whitespace();
        return if drawn { Ok(upper(one)) } else { Err(ChordError::UnknownKey) };
    }
    if let Some(number) = lower.strip_prefix('f').and_then(|number| number.parse::<u8>().ok()) {
        return if (1..=24).contains(&number) {
            Ok(format!("F{number}"))
        } else {
            Err(ChordError::UnknownKey)
        };
    }
    let known = KEYS.iter().find(|known| known.eq_ignore_ascii_case(name));
    known.map(|known| (*known).to_owned()).ok_or(ChordError::UnknownKey)
}

fn key_pressed(key: &str, code: &str) -> Option<String> {
    let mut characters = key.chars();
    let (first, second) = (characters.next()?, characters.next());
    if second.is_some() {
        return key_named(key).ok();
    }
    // A letter or digit is what it says, wherever it is on the keyboard. Anything else may be what Shift or Option
    // make of a key, and then its place says which.
    if first.is_ascii_alphanumeric() {
        return Some(upper(first));
    }
    if first == ' ' {
        return Some("Space".into());
    }
    let place = PLACES.iter().find(|(place, _)| *place == code).map(|(_, key)| (*key).to_owned());
    let typed = code.strip_prefix("Key").or_else(|| code.strip_prefix("Digit")).map(str::to_owned);
    Some(place.or(typed).unwrap_or_else(|| upper(first)))
}

/// In upper case, where that is one character; the German `ß` has none.
fn upper(character: char) -> String {
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one.into(),
        _ => character.into(),
    }
}

/// A shortcut that wants a combination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Tells it from all others: plugin and shortcut.
    pub owner: String,
    /// What it wants, as it could be read.
    pub chord: Result<Chord, ChordError>,
}

/// Whose a combination is by the user's choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// [`Chord::name`]
    pub chord: String,
    /// The shortcut that has it; none when nobody may.
    pub owner: Option<String>,
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has its combination.
    Active,
    /// The browser or this page has it.
    Reserved,
    /// That other shortcut has it.
    Taken(String),
    /// The user wants nobody to have it.
    Off,
    /// It cannot be read.
    Unreadable(ChordError),
}

/// Settles every wish, in the order in which they were allowed.
#[must_use]
pub fn settle(wishes: &[Wish], choices: &[Choice], system: System) -> Vec<Standing> {
    wishes.iter().map(|wish| standing(wish, wishes, choices, system)).collect()
}

fn standing(wish: &Wish, wishes: &[Wish], choices: &[Choice], system: System) -> Standing {
    let chord = match &wish.chord {
        Ok(chord) => chord,
        Err(error) => return Standing::Unreadable(*error),
    };
    if chord.is_reserved(system) {
        return Standing::Reserved;
    }
    let wants_it = |other: &&Wish| other.chord.as_ref() == Ok(chord);
    let first = wishes.iter().find(wants_it).map(|first| first.owner.as_str());
    let name = chord.name();
    let holder = match choices.iter().find(|choice| choice.chord == name) {
        Some(Choice { owner: None, .. }) => return Standing::Off,
        // A choice for a shortcut that is gone is none.
        Some(Choice { owner: Some(chosen), .. }) => wishes
            .iter()
            .filter(wants_it)
            .map(|other| other.owner.as_str())
            .find(|owner| owner == chosen)
            .or(first),
        None => first,
    };
    match holder {
        Some(holder) if holder != wish.owner => Standing::Taken(holder.to_owned()),
        Some(_) | None => Standing::Active,
    }
}

#[cfg(test)]
mod tests;
