//! `POST …/{id}/reveal` and `…/{id}/rotate`: both answer with the edit dialog, the secret in it and what was typed kept.

use std::time::Duration;

use axum::{extract::Path, http::StatusCode, response::Response};

use super::webhook_edit::{Edit, ShownSecret, load};
use crate::{
    ui::{PageError, form::Posted, visit::Visit},
    webhooks::DEFAULT_OVERLAP,
};

/// For how long the old secret may sign too.
pub struct Overlap {
    pub hours: u64,
    pub label: &'static str,
}

pub const OVERLAPS: [Overlap; 7] = [
    Overlap {
        hours: 0,
        label: "0 h: not at all",
    },
    Overlap {
        hours: 1,
        label: "1 h",
    },
    Overlap {
        hours: 6,
        label: "6 h",
    },
    Overlap {
        hours: 24,
        label: "24 h",
    },
    Overlap {
        hours: 48,
        label: "2 d",
    },
    Overlap {
        hours: 96,
        label: "4 d",
    },
    Overlap {
        hours: 168,
        label: "7 d",
    },
];

impl Overlap {
    fn duration(&self) -> Duration {
        Duration::from_secs(self.hours * 60 * 60)
    }

    pub fn is_default(&self) -> bool {
        self.duration() == DEFAULT_OVERLAP
    }

    fn parse(hours: &str) -> Duration {
        let hours: Option<u64> = hours.parse().ok();
        let overlap = OVERLAPS.iter().find(|overlap| Some(overlap.hours) == hours);
        overlap.map_or(DEFAULT_OVERLAP, Self::duration)
    }
}

pub async fn reveal(visit: Visit, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let webhook = load(&visit, &id).await?;
    let secret = visit.ui.webhooks.reveal(&visit.actor(), &webhook.id).await?;
    let before = webhook.version;
    let secret = Some(ShownSecret {
        secret,
        is_new: false,
    });
    let edit = Edit {
        secret,
        ..Edit::as_posted(webhook, &posted, before)
    };
    Ok(edit.answer(&visit, StatusCode::OK).await)
}

pub async fn rotate(visit: Visit, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let before = load(&visit, &id).await?;
    // The answer to this form is a page, and reloading that page posts the form again: a second rotation would end the
    // overlap of the first. Whoever posts has to have seen the newest version.
    if posted.version().is_some_and(|seen| seen != before.version) {
        let version = before.version;
        let done = Some("Not rotated: the webhook was changed since this form was opened.".to_owned());
        let edit = Edit {
            done,
            ..Edit::as_posted(before, &posted, version)
        };
        return Ok(edit.answer(&visit, StatusCode::CONFLICT).await);
    }
    let overlap = Overlap::parse(posted.text("overlap"));
    let (webhook, secret) = visit
        .ui
        .webhooks
        .rotate(&visit.actor(), &before.id, overlap)
        .await?;
    let edit = Edit {
        secret: Some(ShownSecret { secret, is_new: true }),
        done: Some("The secret was rotated.".to_owned()),
        ..Edit::as_posted(webhook, &posted, before.version)
    };
    Ok(edit.answer(&visit, StatusCode::OK).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_offered_overlaps_are_taken() {
        assert_eq!(Overlap::parse("0"), Duration::ZERO);
        assert_eq!(Overlap::parse("168"), Duration::from_secs(7 * 24 * 3600));
        assert_eq!(Overlap::parse("99999"), DEFAULT_OVERLAP);
        assert_eq!(OVERLAPS.iter().filter(|overlap| overlap.is_default()).count(), 1);
    }
}
