//! How often something may happen: at once, and sustained.

/// A measure that fills with time and is emptied by use.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    per_second: f64,
    burst: f64,
    left: f64,
    filled_at: f64,
}

impl Pace {
    /// A full measure: `burst` at once, then `per_second`.
    #[must_use]
    pub fn new(per_second: f64, burst: f64) -> Self {
        Self { per_second, burst, left: burst, filled_at: 0.0 }
    }

    /// Takes one, if one is left. `now_ms` is monotonic; time that runs back gives nothing.
    pub fn take(&mut self, now_ms: f64) -> bool {
        let seconds = ((now_ms - self.filled_at) / 1000.0).max(0.0);
        self.left = (self.left + seconds * self.per_second).min(self.burst);
        self.filled_at = now_ms;
        let allowed = self.left >= 1.0;
        if allowed {
            self.left -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut pace = Pace::new(0.5, 2.0);
        let taken = |pace: &mut Pace, now: f64| (0..10).filter(|_| pace.take(now)).count();
        assert_eq!(taken(&mut pace, 0.0), 2);
        assert_eq!(taken(&mut pace, 2_000.0), 1);
        assert_eq!(taken(&mut pace, 1_000.0), 0, "time that runs back gives nothing");
        assert_eq!(taken(&mut pace, 1e9), 2, "no more than the burst gathers");
    }
}
