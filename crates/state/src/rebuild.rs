//! Building the database of a home anew, on a person's word, while servers may run.
//!
//! Invariant: it is set aside and made under the locks that every server takes; servers that have it open notice that
//! it is another, and go over to the new one.

use std::path::PathBuf;

use rollout::Home;

use crate::{Progress, StateError, backfill, open};

/// Sets the database aside, if there is one, makes it anew and fills it; returns where the old one lies.
///
/// One that a later version made is left alone, and so is one that another process holds for itself.
pub async fn rebuild(home: &Home, progress: impl Fn(Progress)) -> Result<Option<PathBuf>, StateError> {
    let aside = open::put_aside(home).await?;
    let runtime = open::open(home, None).await?;
    let filled = backfill::fill(home, &runtime, progress).await;
    runtime.close().await;
    filled.map(|()| aside)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pretty_assertions::assert_eq;

    use super::*;
    use crate::testing::{TestHome, everything, previews};

    #[tokio::test]
    async fn a_database_is_set_aside_and_one_with_every_row_stands_in_its_place() {
        let home = TestHome::with_threads(0..3);
        assert_eq!(rebuild(&home.home, |_| {}).await.unwrap(), None);
        fs::write(home.database(), "no database").unwrap();
        let aside = rebuild(&home.home, |_| {}).await.unwrap().unwrap();
        assert_eq!(fs::read(&aside).unwrap(), b"no database");
        let runtime = home.open().await;
        assert!(runtime.is_complete().await.unwrap());
        let listed = runtime.list(&everything()).await.unwrap();
        assert_eq!(previews(&listed), ["message 2", "message 1", "message 0"]);
        runtime.close().await;
    }

    #[tokio::test]
    async fn one_of_a_later_version_is_left_alone() {
        let home = TestHome::with_threads(0..1);
        let runtime = home.open().await;
        let mut transaction = runtime.begin().await.unwrap();
        let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                     VALUES (99999999, 'later', 1, x'00', 0)";
        sqlx::query(later).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        runtime.close().await;
        let before = fs::read(home.database()).unwrap();
        let error = rebuild(&home.home, |_| {}).await.unwrap_err();
        assert!(matches!(error, StateError::Newer(_)), "{error:?}");
        assert_eq!(fs::read(home.database()).unwrap(), before);
    }
}
