//! Users, sessions and invites.

use caleida::{
    domain::{Actor, Email, InviteId, Origin, Role, SessionId, User, UserId},
    store::{
        AuditContext, InviteOutcome, InviteToken, NewInvite, SessionOwner, SessionRow, UserChangeOutcome,
        UserSession,
    },
};

use super::*;

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

fn after(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

impl Fixture {
    fn context(&self, at: Timestamp) -> AuditContext {
        AuditContext {
            actor: Actor::user(self.account.clone(), "root@example.com", Origin::Internal),
            at,
        }
    }

    async fn user(&self, email: &str, role: Role) -> User {
        let user = User {
            id: UserId::generate(NOW),
            account_id: self.account.clone(),
            email: email.to_owned(),
            role,
        };
        self.store
            .insert_user(&self.context(NOW), &user, "hash")
            .await
            .unwrap();
        user
    }

    /// Creates a session with this ID hash that expires after a day.
    async fn session(&self, user: &User, hash: u8) -> SessionOwner {
        let owner = SessionOwner {
            id: SessionId::generate(NOW),
            user_id: user.id.clone(),
            created_at: NOW,
            address: "192.0.2.1".to_owned(),
            user_agent: "curl/8".to_owned(),
        };
        let row = SessionRow {
            id_hash: [hash; 32],
            data: b"{}".to_vec(),
            expires_at: after(86_400),
        };
        let created = self.store.create_session(&row, Some(&owner), NOW).await.unwrap();
        assert!(created);
        owner
    }

    async fn user_of(&self, hash: u8, now: Timestamp) -> Option<User> {
        let found = self.store.session_user(&[hash; 32], now).await.unwrap();
        found.map(|found| found.user)
    }

    async fn sessions(&self, user: &User) -> Vec<UserSession> {
        self.store
            .of(&user.account_id)
            .user_sessions(&user.id, NOW)
            .await
            .unwrap()
    }

    async fn try_invite(&self, email: &str, token: u8) -> (InviteId, InviteOutcome) {
        let invite = NewInvite {
            id: InviteId::generate(NOW),
            email: Email::parse(email).unwrap(),
            role: Role::Member,
            token: InviteToken {
                hash: [token; 32],
                expires_at: NOW.plus(WEEK),
            },
        };
        let invited = self
            .store
            .insert_invite(&self.context(NOW), &invite)
            .await
            .unwrap();
        (invite.id, invited)
    }

    async fn invite(&self, email: &str, token: u8) -> InviteId {
        let (id, invited) = self.try_invite(email, token).await;
        assert_eq!(invited, InviteOutcome::Created);
        id
    }

    async fn accept(&self, token: u8, at: Timestamp) -> Option<User> {
        let id = UserId::generate(at);
        self.store
            .accept_invite(&[token; 32], &id, "hash", Origin::Internal, at)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn account_keeps_its_last_active_admin() {
    let fixture = Fixture::new().await;
    let (store, context) = (&fixture.store, fixture.context(NOW));
    let ada = fixture.user("ada@example.com", Role::Admin).await;
    let bob = fixture.user("bob@example.com", Role::Admin).await;
    let another = store.ensure_account("another", NOW).await.unwrap();
    let other_user = User {
        id: UserId::generate(NOW),
        account_id: another.clone(),
        email: "eve@example.com".to_owned(),
        role: Role::Admin,
    };
    let other_context = AuditContext {
        actor: Actor::operator(another),
        ..context.clone()
    };
    store
        .insert_user(&other_context, &other_user, "hash")
        .await
        .unwrap();

    assert_eq!(
        store.disable_user(&context, &bob.id).await.unwrap(),
        UserChangeOutcome::Done
    );
    // Disabled admins and admins of other accounts do not count.
    assert_eq!(
        store.disable_user(&context, &ada.id).await.unwrap(),
        UserChangeOutcome::LastAdmin
    );
    let demoted = store.change_role(&context, &ada.id, Role::Member).await.unwrap();
    assert_eq!(demoted, UserChangeOutcome::LastAdmin);
    let same = store.change_role(&context, &ada.id, Role::Admin).await.unwrap();
    assert_eq!(same, UserChangeOutcome::Done);
    assert_eq!(
        store.disable_user(&context, &other_user.id).await.unwrap(),
        UserChangeOutcome::NotFound
    );
    let changed = store
        .change_role(&context, &other_user.id, Role::Viewer)
        .await
        .unwrap();
    assert_eq!(changed, UserChangeOutcome::NotFound);
    assert_eq!(
        store.enable_user(&context, &other_user.id).await.unwrap(),
        UserChangeOutcome::NotFound
    );

    assert_eq!(
        store.enable_user(&context, &bob.id).await.unwrap(),
        UserChangeOutcome::Done
    );
    let demoted = store.change_role(&context, &ada.id, Role::Member).await.unwrap();
    assert_eq!(demoted, UserChangeOutcome::Done);
    let people = store.of(&fixture.account).people().await.unwrap();
    let roles: Vec<_> = people
        .iter()
        .map(|person| (person.user.email.as_str(), person.user.role, person.disabled_at))
        .collect();
    let expected = [
        ("ada@example.com", Role::Member, None),
        ("bob@example.com", Role::Admin, None),
    ];
    assert_eq!(roles, expected);
}

#[tokio::test]
async fn concurrent_disables_leave_one_admin() {
    let fixture = Fixture::new().await;
    let context = fixture.context(NOW);
    let ada = fixture.user("ada@example.com", Role::Admin).await;
    let bob = fixture.user("bob@example.com", Role::Admin).await;
    for _ in 0..10 {
        let (first, second) = tokio::join!(
            fixture.store.disable_user(&context, &ada.id),
            fixture.store.disable_user(&context, &bob.id)
        );
        let mut results = [first.unwrap(), second.unwrap()];
        results.sort_by_key(|changed| *changed == UserChangeOutcome::LastAdmin);
        assert_eq!(results, [UserChangeOutcome::Done, UserChangeOutcome::LastAdmin]);
        for user in [&ada, &bob] {
            fixture.store.enable_user(&context, &user.id).await.unwrap();
        }
    }
}

#[tokio::test]
async fn session_returns_its_current_user() {
    let fixture = Fixture::new().await;
    let (store, context) = (&fixture.store, fixture.context(NOW));
    fixture.user("root@example.com", Role::Admin).await;
    let ada = fixture.user("ada@example.com", Role::Admin).await;
    let owner = fixture.session(&ada, 1).await;
    assert_eq!(fixture.user_of(1, NOW).await, Some(ada.clone()));
    assert_eq!(fixture.user_of(2, NOW).await, None);
    assert_eq!(
        fixture.user_of(1, after(86_400)).await,
        None,
        "the session has expired"
    );

    store.change_role(&context, &ada.id, Role::Viewer).await.unwrap();
    let seen = fixture.user_of(1, NOW).await.unwrap();
    assert_eq!(seen.role, Role::Viewer);

    let found = store.session_user(&[1; 32], NOW).await.unwrap().unwrap();
    assert_eq!(found.last_seen_at, NOW);
    store
        .touch_session(&[1; 32], "192.0.2.9", after(60))
        .await
        .unwrap();
    let expected = UserSession {
        id: owner.id,
        id_hash: [1; 32],
        created_at: NOW,
        last_seen_at: after(60),
        address: "192.0.2.9".to_owned(),
        user_agent: "curl/8".to_owned(),
    };
    assert_eq!(fixture.sessions(&ada).await, [expected]);
}

#[tokio::test]
async fn ended_session_does_not_come_back() {
    let fixture = Fixture::new().await;
    let context = fixture.context(NOW);
    let ada = fixture.user("ada@example.com", Role::Admin).await;
    let bob = fixture.user("bob@example.com", Role::Admin).await;
    let owner = fixture.session(&ada, 1).await;
    let row = fixture.store.session(&[1; 32], NOW).await.unwrap().unwrap();
    let ended = fixture
        .store
        .end_session(&context, &bob.id, &owner.id)
        .await
        .unwrap();
    assert!(!ended, "the session belongs to another user");
    assert!(
        fixture
            .store
            .end_session(&context, &ada.id, &owner.id)
            .await
            .unwrap()
    );
    assert!(
        !fixture
            .store
            .end_session(&context, &ada.id, &owner.id)
            .await
            .unwrap()
    );
    // A concurrent request saves the session.
    fixture.store.save_session(&row).await.unwrap();
    assert_eq!(fixture.store.session(&[1; 32], NOW).await.unwrap(), None);
    assert_eq!(fixture.user_of(1, NOW).await, None);
}

#[tokio::test]
async fn new_password_and_disabling_end_only_own_sessions() {
    let fixture = Fixture::new().await;
    let (store, context) = (&fixture.store, fixture.context(NOW));
    let ada = fixture.user("ada@example.com", Role::Admin).await;
    let bob = fixture.user("bob@example.com", Role::Admin).await;
    for hash in [1, 2, 3] {
        fixture.session(&ada, hash).await;
    }
    fixture.session(&bob, 4).await;
    assert!(
        store
            .set_password(&context, &ada.id, "new", Some(&[2; 32]))
            .await
            .unwrap()
    );
    let remaining: Vec<_> = fixture
        .sessions(&ada)
        .await
        .iter()
        .map(|session| session.id_hash[0])
        .collect();
    assert_eq!(remaining, [2]);
    let (_, hash) = store.user_by_email("ada@example.com").await.unwrap().unwrap();
    assert_eq!(hash, "new");

    fixture.session(&ada, 5).await;
    assert_eq!(
        store
            .end_other_sessions(&context, &ada.id, &[5; 32])
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store
            .end_other_sessions(&context, &ada.id, &[5; 32])
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        store.disable_user(&context, &ada.id).await.unwrap(),
        UserChangeOutcome::Done
    );
    assert_eq!(
        store.enable_user(&context, &ada.id).await.unwrap(),
        UserChangeOutcome::Done
    );
    assert_eq!(
        fixture.user_of(5, NOW).await,
        None,
        "enabling does not restore sessions"
    );
    assert_eq!(fixture.user_of(4, NOW).await, Some(bob));
}

#[tokio::test]
async fn sign_in_fails_if_user_changed_meanwhile() {
    let fixture = Fixture::new().await;
    let (store, context) = (&fixture.store, fixture.context(NOW));
    fixture.user("root@example.com", Role::Admin).await;
    let ada = fixture.user("ada@example.com", Role::Viewer).await;
    assert!(
        store
            .record_sign_in(&ada, "hash", Origin::Internal, after(1))
            .await
            .unwrap()
    );
    assert!(
        !store
            .record_sign_in(&ada, "another hash", Origin::Internal, after(2))
            .await
            .unwrap()
    );
    store.disable_user(&context, &ada.id).await.unwrap();
    assert!(
        !store
            .record_sign_in(&ada, "hash", Origin::Internal, after(3))
            .await
            .unwrap()
    );
    let person = store.person_by_email("ada@example.com").await.unwrap().unwrap();
    assert_eq!(person.last_sign_in_at, Some(after(1)));
    assert_eq!(store.user_by_email("ada@example.com").await.unwrap(), None);
}

#[tokio::test]
async fn invite_creates_one_user() {
    let fixture = Fixture::new().await;
    fixture.invite("ada@example.com", 1).await;
    let open = fixture.store.open_invite(&[1; 32], NOW).await.unwrap().unwrap();
    assert_eq!(
        (open.email.as_str(), open.account.as_str(), open.role),
        ("ada@example.com", "tests", Role::Member)
    );
    let (first, second) = tokio::join!(fixture.accept(1, NOW), fixture.accept(1, NOW));
    let users: Vec<_> = [first, second].into_iter().flatten().collect();
    assert_eq!(users.len(), 1);
    assert_eq!(
        (users[0].email.as_str(), users[0].role),
        ("ada@example.com", Role::Member)
    );
    assert_eq!(fixture.store.open_invite(&[1; 32], NOW).await.unwrap(), None);
    assert!(
        fixture
            .store
            .of(&fixture.account)
            .invites()
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        fixture.store.of(&fixture.account).people().await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn expired_renewed_and_revoked_invites_are_invalid() {
    let fixture = Fixture::new().await;
    let (store, context) = (&fixture.store, fixture.context(NOW));
    let expires_at = NOW.plus(WEEK);
    let invite = fixture.invite("ada@example.com", 1).await;
    assert!(
        store
            .open_invite(&[1; 32], expires_at.minus(Duration::from_millis(1)))
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(store.open_invite(&[1; 32], expires_at).await.unwrap(), None);
    assert_eq!(fixture.accept(1, expires_at).await, None);

    let token = InviteToken {
        hash: [2; 32],
        expires_at: expires_at.plus(WEEK),
    };
    let renewed = store
        .renew_invite(&context, &invite, token)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(renewed.expires_at, expires_at.plus(WEEK));
    assert_eq!(store.open_invite(&[1; 32], NOW).await.unwrap(), None);
    assert!(store.open_invite(&[2; 32], expires_at).await.unwrap().is_some());

    let another = store.ensure_account("another", NOW).await.unwrap();
    let other_context = AuditContext {
        actor: Actor::operator(another),
        ..context.clone()
    };
    assert_eq!(store.revoke_invite(&other_context, &invite).await.unwrap(), None);
    assert_eq!(
        store.renew_invite(&other_context, &invite, token).await.unwrap(),
        None
    );
    assert!(store.revoke_invite(&context, &invite).await.unwrap().is_some());
    assert_eq!(fixture.accept(2, NOW).await, None);
    assert_eq!(store.revoke_invite(&context, &invite).await.unwrap(), None);
}

#[tokio::test]
async fn existing_users_and_invitees_cannot_be_invited() {
    let fixture = Fixture::new().await;
    let context = fixture.context(NOW);
    fixture.user("root@example.com", Role::Admin).await;
    let ada = fixture.user("ada@example.com", Role::Viewer).await;
    assert_eq!(
        fixture.try_invite("ada@example.com", 1).await.1,
        InviteOutcome::AlreadyMember
    );
    fixture.store.disable_user(&context, &ada.id).await.unwrap();
    assert_eq!(
        fixture.try_invite("ada@example.com", 1).await.1,
        InviteOutcome::UserDisabled
    );
    fixture.invite("bob@example.com", 1).await;
    assert_eq!(
        fixture.try_invite("bob@example.com", 2).await.1,
        InviteOutcome::AlreadyInvited
    );
    // The user was added before accepting the invite: accepting fails, and the invite can still be revoked.
    fixture.user("bob@example.com", Role::Viewer).await;
    assert_eq!(fixture.accept(1, NOW).await, None);
    assert_eq!(
        fixture.store.of(&fixture.account).invites().await.unwrap().len(),
        1
    );
}
