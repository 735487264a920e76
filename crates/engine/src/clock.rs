//! What time it is. `SOURCE_DATE_EPOCH` sets it where results have to be reproducible.

use jiff::Timestamp;

/// Now, or the time that `SOURCE_DATE_EPOCH` sets.
#[must_use]
pub fn now() -> Timestamp {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
    let fixed = epoch.and_then(|seconds| Timestamp::from_second(seconds).ok());
    fixed.unwrap_or_else(Timestamp::now)
}

/// The day on which exceptions are judged.
#[must_use]
pub fn today() -> jiff::civil::Date {
    now().to_zoned(jiff::tz::TimeZone::UTC).date()
}
