//! `caleida verify`: verifies the signature of a webhook call.

use std::io::{self, Read};

use clap::Args;

use super::terminal::{OutputError, print_line};
use crate::{
    delivery::signer::{self, VerifyError},
    domain::{Secret, Timestamp, secret::InvalidSecret},
};

#[derive(Args)]
pub struct VerifyArgs {
    /// Secret of the webhook
    #[arg(long, env = "CALEIDA_SECRET", hide_env_values = true)]
    pub secret: String,
    /// Value of the header webhook-id
    #[arg(long)]
    pub id: String,
    // Reports a negative number as an invalid timestamp, not as an unknown flag.
    /// Value of the header webhook-timestamp
    #[arg(long, allow_hyphen_values = true)]
    pub timestamp: String,
    /// Value of the header webhook-signature
    #[arg(long)]
    pub signature: String,
}

/// Prints `ok`, or fails with the reason.
pub async fn run(args: VerifyArgs, now: Timestamp) -> Result<(), VerifyFailure> {
    verify(&args, io::stdin(), now)?;
    print_line("ok")?;
    Ok(())
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyFailure {
    #[error(transparent)]
    Secret(#[from] InvalidSecret),
    #[error("Cannot read the body from stdin: {0}")]
    Body(#[from] io::Error),
    #[error(transparent)]
    Signature(#[from] VerifyError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

fn verify(args: &VerifyArgs, mut stdin: impl Read, now: Timestamp) -> Result<(), VerifyFailure> {
    let secret = Secret::parse(&args.secret)?;
    let mut body = Vec::new();
    stdin.read_to_end(&mut body)?;
    signer::verify(&secret, &args.id, &args.timestamp, &args.signature, &body, now)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(secret: &str, timestamp: &str) -> VerifyArgs {
        VerifyArgs {
            secret: secret.to_owned(),
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            timestamp: timestamp.to_owned(),
            signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned(),
        }
    }

    #[test]
    fn body_is_verified_byte_for_byte() {
        let now = Timestamp::from_millis(1_614_265_330_000);
        let args = args("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "1614265330");
        assert!(verify(&args, br#"{"test": 2432232314}"#.as_slice(), now).is_ok());
        // Editors and `echo` append a line break.
        let failure = verify(&args, b"{\"test\": 2432232314}\n".as_slice(), now);
        assert!(matches!(
            failure,
            Err(VerifyFailure::Signature(VerifyError::Mismatch))
        ));
    }

    #[test]
    fn invalid_secret_is_reported_first() {
        let failure = verify(&args("short", "soon"), b"".as_slice(), Timestamp::from_millis(0));
        assert!(matches!(
            failure,
            Err(VerifyFailure::Secret(InvalidSecret::TooShort))
        ));
    }
}
