//! Health of webhooks: status, notices, and disabling.

use caleida::{
    domain::{AuditAction, health::RecentAttempts},
    store::AuditFilter,
};
use strum::VariantArray as _;

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A webhook whose attempts the test records.
struct Recording {
    fixture: Fixture,
    webhook: WebhookId,
    events: u32,
}

impl Recording {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let webhook = fixture.add("chats", &["chat"]).await.id;
        Self {
            fixture,
            webhook,
            events: 0,
        }
    }

    /// Returns an attempt of a new delivery at this time after [`NOW`].
    async fn attempt(&mut self, after: Duration, outcome: Outcome, next: Next) -> RecordedAttempt {
        self.events += 1;
        let id = format!("event-{}", self.events);
        self.fixture.publish(&id, EventType::Chat).await;
        let claimed = self.fixture.claim(NOW.plus(after)).await;
        let delivery = claimed.iter().find(|delivery| delivery.event_id.as_str() == id);
        let mut attempt = recorded(delivery.unwrap(), outcome, next);
        attempt.attempt.started_at = NOW.plus(after);
        attempt.attempt.duration = Duration::ZERO;
        attempt
    }

    /// Records an attempt. Returns whether it disabled the webhook.
    async fn record(&mut self, after: Duration, outcome: Outcome, next: Next) -> bool {
        let attempt = self.attempt(after, outcome, next).await;
        self.record_all(&[attempt]).await
    }

    async fn record_all(&self, attempts: &[RecordedAttempt]) -> bool {
        let disabled = self.fixture.store.record_attempts(attempts).await.unwrap();
        disabled.contains(&self.webhook)
    }

    async fn fail(&mut self, after: Duration) -> bool {
        self.record(after, REFUSED, Next::Failed).await
    }

    async fn succeed(&mut self, after: Duration) {
        self.record(after, OK, Next::Delivered).await;
    }

    /// Returns the status. Asserts that the filter by status agrees with it.
    async fn status(&self) -> WebhookStatus {
        let status = self.fixture.webhook(&self.webhook).await.status;
        for &filtered in WebhookStatus::VARIANTS {
            let filter = WebhookFilter {
                status: Some(filtered),
                ..WebhookFilter::default()
            };
            let account = self.fixture.store.of(&self.fixture.account);
            let found = account.list_webhooks(&filter).await.unwrap().webhooks;
            assert_eq!(
                found.len(),
                usize::from(filtered == status),
                "{filtered:?}, is {status:?}"
            );
        }
        status
    }

    async fn recent(&self) -> (u32, u32) {
        let RecentAttempts { total, failed } = self.fixture.webhook(&self.webhook).await.recent_attempts;
        (total, failed)
    }

    /// Returns the notices, oldest first.
    async fn notices(&self) -> Vec<AuditAction> {
        let account = self.fixture.store.of(&self.fixture.account);
        let filter = AuditFilter {
            limit: 100,
            ..AuditFilter::default()
        };
        let entries = account.audit_log(&filter).await.unwrap().entries;
        let mut notices: Vec<_> = entries
            .into_iter()
            .filter_map(|entry| entry.action.parse().ok())
            .filter(|action| {
                matches!(
                    action,
                    AuditAction::WebhookFailing10
                        | AuditAction::WebhookFailing50
                        | AuditAction::WebhookFailing90
                )
            })
            .collect();
        notices.reverse();
        notices
    }
}

#[tokio::test]
async fn one_failure_among_successes_makes_webhook_degraded() {
    let mut recording = Recording::new().await;
    assert_eq!(recording.status().await, WebhookStatus::Active);
    recording.succeed(Duration::ZERO).await;
    assert_eq!(recording.status().await, WebhookStatus::Active);
    recording.fail(HOUR).await;
    assert_eq!(recording.status().await, WebhookStatus::Degraded);
    assert_eq!(recording.recent().await, (2, 1));
    for hour in 2..21 {
        recording.succeed(hour * HOUR).await;
        assert_eq!(recording.status().await, WebhookStatus::Degraded, "{hour}");
    }
    assert_eq!(recording.recent().await, (20, 1));
    recording.succeed(21 * HOUR).await;
    assert_eq!(recording.status().await, WebhookStatus::Active);
    assert_eq!(recording.recent().await, (20, 0));
    assert_eq!(recording.notices().await, []);
}

#[tokio::test]
async fn several_failures_over_time_make_webhook_failing() {
    let mut recording = Recording::new().await;
    recording.succeed(Duration::ZERO).await;
    // Requests that fail together, in one batch.
    let mut together = Vec::new();
    for millis in 0..8 {
        let at = HOUR + Duration::from_millis(millis);
        together.push(recording.attempt(at, REFUSED, Next::Failed).await);
    }
    recording.record_all(&together).await;
    assert_eq!(recording.status().await, WebhookStatus::Degraded);
    assert_eq!(recording.recent().await, (9, 8));
    recording.fail(HOUR + Duration::from_secs(5)).await;
    assert_eq!(recording.status().await, WebhookStatus::Failing);
    let webhook = recording.fixture.webhook(&recording.webhook).await;
    assert_eq!(webhook.failing.unwrap().since, NOW.plus(HOUR));
    assert_eq!(webhook.failing.unwrap().attempts, 9);

    // A batch whose last attempt fails after a success starts a new series.
    let success = recording.attempt(2 * HOUR, OK, Next::Delivered).await;
    let failure = recording.attempt(3 * HOUR, REFUSED, Next::Failed).await;
    recording.record_all(&[success, failure]).await;
    assert_eq!(recording.status().await, WebhookStatus::Degraded);
    recording.fail(4 * HOUR).await;
    assert_eq!(recording.status().await, WebhookStatus::Degraded);
    recording.fail(5 * HOUR).await;
    assert_eq!(recording.status().await, WebhookStatus::Failing);
    let webhook = recording.fixture.webhook(&recording.webhook).await;
    assert_eq!(webhook.failing.unwrap().since, NOW.plus(3 * HOUR));
    recording.succeed(6 * HOUR).await;
    assert_eq!(recording.status().await, WebhookStatus::Degraded);
}

#[tokio::test]
async fn large_batches_keep_only_the_newest_attempts() {
    let mut recording = Recording::new().await;
    let mut attempts = Vec::new();
    for number in 0..70 {
        let at = Duration::from_secs(number);
        attempts.push(recording.attempt(at, REFUSED, Next::Failed).await);
    }
    recording.record_all(&attempts).await;
    assert_eq!(recording.recent().await, (20, 20));
    recording.succeed(HOUR).await;
    assert_eq!(recording.recent().await, (20, 19));
}

#[tokio::test]
async fn webhook_with_rare_events_is_not_disabled_by_two_bad_moments() {
    let mut recording = Recording::new().await;
    recording.succeed(Duration::ZERO).await;
    assert!(!recording.fail(DAY).await);
    assert_eq!(recording.status().await, WebhookStatus::Degraded);
    assert!(!recording.fail(8 * DAY).await);
    assert_eq!(recording.status().await, WebhookStatus::Degraded);
    // Many failures, but on the same two days.
    for minute in 1..20 {
        assert!(!recording.fail(8 * DAY + minute * Duration::from_secs(60)).await);
    }
    assert_eq!(recording.status().await, WebhookStatus::Failing);
    // Many days, but few failures.
    recording.succeed(9 * DAY).await;
    for day in 10..19 {
        assert!(!recording.fail(day * DAY).await, "{day}");
    }
    assert_eq!(recording.status().await, WebhookStatus::Failing);
    assert!(recording.fail(19 * DAY).await, "ten failures on ten days");
}

#[tokio::test]
async fn webhook_failing_for_five_days_is_disabled_after_notices() {
    let mut recording = Recording::new().await;
    for hours in [0, 1, 2, 11, 12, 36, 59, 60, 61, 100, 107, 108, 119] {
        assert!(!recording.fail(hours * HOUR).await, "{hours} h");
        let expected = match hours {
            0..12 => 0,
            12..60 => 1,
            60..108 => 2,
            _ => 3,
        };
        assert_eq!(recording.notices().await.len(), expected, "{hours} h");
    }
    let notices = [
        AuditAction::WebhookFailing10,
        AuditAction::WebhookFailing50,
        AuditAction::WebhookFailing90,
    ];
    assert_eq!(recording.notices().await, notices);
    assert_eq!(recording.status().await, WebhookStatus::Failing);

    // A delivery whose first attempt fails gets the other attempts of its schedule.
    let retry_at = NOW.plus(122 * HOUR);
    let is_disabled = recording
        .record(121 * HOUR, REFUSED, Next::RetryAt(retry_at))
        .await;
    assert!(!is_disabled);
    assert_eq!(recording.status().await, WebhookStatus::Failing);
    let pending = recording.fixture.claim(retry_at).await.remove(0);
    let mut last = recorded(&pending, REFUSED, Next::Failed);
    last.attempt.started_at = retry_at;
    assert!(recording.record_all(&[last]).await);
    assert_eq!(recording.status().await, WebhookStatus::Disabled);
    let disabled = recording.fixture.webhook(&recording.webhook).await;
    assert_eq!(disabled.disabled_reason, Some(DisabledReason::Failing));
    assert_eq!(recording.notices().await, notices);

    let change = recording.fixture.change(&recording.webhook, retry_at);
    let resumed = recording
        .fixture
        .store
        .resume_webhook(&change, HeldAction::Send)
        .await;
    assert_eq!(resumed.unwrap().unwrap().status, WebhookStatus::Active);
    assert_eq!(recording.status().await, WebhookStatus::Active);
    assert!(!recording.fail(123 * HOUR).await, "the five days start again");
    assert_eq!(recording.status().await, WebhookStatus::Degraded);
}

#[tokio::test]
async fn days_of_one_batch_are_counted() {
    let mut recording = Recording::new().await;
    let mut attempts = Vec::new();
    for hours in [0, 1, 13, 14, 15, 40, 41, 64, 110] {
        attempts.push(recording.attempt(hours * HOUR, REFUSED, Next::Failed).await);
    }
    recording.record_all(&attempts).await;
    let days = async || {
        let webhook = recording.fixture.webhook(&recording.webhook).await;
        webhook.failing.unwrap().days
    };
    // From 10:00 on the first day to 0:00 on the sixth.
    assert_eq!(days().await, 5);
    let same_day = recording.attempt(111 * HOUR, REFUSED, Next::Failed).await;
    recording.record_all(&[same_day]).await;
    let webhook = recording.fixture.webhook(&recording.webhook).await;
    assert_eq!(
        (webhook.failing.unwrap().days, webhook.failing.unwrap().attempts),
        (5, 10)
    );
}
