//! What responses took, and what of the account is used.

use agent::Usage;
use model::{RateLimitWindow as Window, RateLimits, TokenUsage};
use protocol::{
    AccountRateLimitsUpdatedNotification, RateLimitSnapshot, RateLimitWindow, ThreadTokenUsage,
    TokenUsageBreakdown,
};

/// Builds the token counts of a thread.
pub(crate) fn token_usage(usage: &Usage) -> ThreadTokenUsage {
    ThreadTokenUsage {
        total: breakdown(&usage.total),
        last: breakdown(&usage.last),
        model_context_window: usage.window,
    }
}

fn breakdown(usage: &TokenUsage) -> TokenUsageBreakdown {
    TokenUsageBreakdown {
        total_tokens: usage.total_tokens,
        input_tokens: usage.input_tokens,
        cached_input_tokens: usage.cached_input_tokens,
        output_tokens: usage.output_tokens,
        reasoning_output_tokens: usage.reasoning_output_tokens,
        ..TokenUsageBreakdown::default()
    }
}

/// Builds what is told of the account's limits.
pub(crate) fn rate_limits(limits: &RateLimits) -> AccountRateLimitsUpdatedNotification {
    AccountRateLimitsUpdatedNotification {
        rate_limits: RateLimitSnapshot {
            limit_id: Some("codex".to_owned()),
            primary: limits.primary.as_ref().map(window),
            secondary: limits.secondary.as_ref().map(window),
            ..RateLimitSnapshot::default()
        },
    }
}

/// The share is rounded half up, as the published server does.
fn window(window: &Window) -> RateLimitWindow {
    RateLimitWindow {
        used_percent: window.used_percent.round() as i32,
        window_duration_mins: window.window_minutes,
        resets_at: window.resets_at,
    }
}
