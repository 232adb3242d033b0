//! Methods about reviews.

pub(crate) mod start;
