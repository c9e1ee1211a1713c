//! The one sound that plugins have: two soft notes, made here, so that no file is loaded.

use std::cell::RefCell;

use wasm_bindgen::JsValue;
use web_sys::AudioContext;

/// The notes: frequency in hertz, and when each begins, in seconds.
const CHIME: [(f32, f64); 2] = [(659.26, 0.0), (987.77, 0.12)];
/// How loud, of 1.
const LOUDNESS: f32 = 0.12;
/// How long a note takes to fade, in seconds.
const FADE: f64 = 0.6;

thread_local! {
    static CONTEXT: RefCell<Option<AudioContext>> = const { RefCell::new(None) };
}

/// Plays the notes. A browser that does not let the page be heard yet keeps silent.
pub(super) fn chime() {
    let context = CONTEXT.with_borrow_mut(|context| {
        if context.is_none() {
            *context = AudioContext::new().ok();
        }
        context.clone()
    });
    if let Some(context) = context {
        // Before the user's first press the browser holds sounds back; it is asked again with the next.
        let _ = context.resume();
        if play(&context).is_err() {
            leptos::logging::warn!("the sound could not be played");
        }
    }
}

fn play(context: &AudioContext) -> Result<(), JsValue> {
    for (frequency, begin) in CHIME {
        let start = context.current_time() + begin;
        let (note, volume) = (context.create_oscillator()?, context.create_gain()?);
        note.frequency().set_value(frequency);
        volume.gain().set_value_at_time(LOUDNESS, start)?;
        volume.gain().exponential_ramp_to_value_at_time(0.001, start + FADE)?;
        note.connect_with_audio_node(&volume)?;
        volume.connect_with_audio_node(&context.destination())?;
        note.start_with_when(start)?;
        note.stop_with_when(start + FADE)?;
    }
    Ok(())
}
