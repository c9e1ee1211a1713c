//! Which of the encodings at hand a browser likes best (RFC 9110 section 12.5.3).

/// How a file is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// `.br`
    Brotli,
    /// `.gz`
    Gzip,
    /// As it is.
    Identity,
}

impl Encoding {
    /// Its name in `Content-Encoding`.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// What its files' names end with.
    pub(super) fn suffix(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some(".br"),
            Self::Gzip => Some(".gz"),
            Self::Identity => None,
        }
    }
}

/// The compressed encodings that the browser accepts and likes no less than none, best first.
pub(super) fn preferred(accept: Option<&str>) -> Vec<Encoding> {
    let Some(accept) = accept else { return Vec::new() };
    let weights: Vec<_> = accept.split(',').filter_map(weight).collect();
    let of =
        |names: &[&str]| weights.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, q)| *q);
    // What is not named is as good as `*`. Without either, none is the last resort.
    let other = of(&["*"]);
    let identity = of(&["identity"]).or(other).unwrap_or(0);
    let mut wanted: Vec<_> = [(Encoding::Brotli, ["br", "br"]), (Encoding::Gzip, ["gzip", "x-gzip"])]
        .into_iter()
        .map(|(encoding, names)| (encoding, of(&names).or(other).unwrap_or(0)))
        .filter(|(_, q)| *q > 0 && *q >= identity)
        .collect();
    // The sort is stable: of equals, the smaller comes first.
    wanted.sort_by_key(|(_, q)| std::cmp::Reverse(*q));
    wanted.into_iter().map(|(encoding, _)| encoding).collect()
}

/// One item, such as `br;q=0.5`: its name and its weight in thousandths. Nonsense is passed over.
fn weight(item: &str) -> Option<(String, u16)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
    let Some(parameter) = parts.next() else { return Some((name, 1000)) };
    let (key, value) = parameter.split_once('=')?;
    let q: f32 = if key.trim().eq_ignore_ascii_case("q") { value.trim().parse().ok()? } else { return None };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
    (0.0..=1.0).contains(&q).then_some((name, (q * 1000.0) as u16))
}

#[cfg(test)]
mod tests {
    use super::Encoding::{Brotli, Gzip};
    use super::*;

    #[test]
    fn the_browser_chooses_by_weight() {
        for (accept, expected) in [
            ("gzip, deflate, br, zstd", &[Brotli, Gzip][..]),
            ("br;q=0.5, gzip;q=0.8", &[Gzip, Brotli]),
            ("br;q=0, gzip", &[Gzip]),
            ("*", &[Brotli, Gzip]),
            ("*;q=0", &[]),
            ("br, *;q=0", &[Brotli]),
            ("identity", &[]),
            ("br;q=0.1", &[Brotli]),
            ("br;q=0.1, identity;q=0.5", &[]),
            ("X-GZIP; Q=1.0", &[Gzip]),
            ("br;q=2, gzip;q=x, ;, br;level=3", &[]),
            ("", &[]),
        ] {
            assert_eq!(preferred(Some(accept)), expected, "{accept}");
        }
        assert_eq!(preferred(None), []);
    }
}
