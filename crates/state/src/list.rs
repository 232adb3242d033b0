//! Reading rows: one thread, or a page of a list.
//!
//! Invariant: the SQL means what [`ListQuery::admits`], `compare` and `is_after` mean.

use rollout::ThreadId;
use sqlx::{QueryBuilder, Sqlite};

use crate::{
    Direction, ListQuery, Position, Search, Sort, StateError, StateRuntime, ThreadRow,
    error::nonsense,
    row::{self, THREAD_COLUMNS},
};

impl StateRuntime {
    /// Returns the row of a thread, listed or not; of one that is both active and archived, the active one.
    pub async fn thread(&self, id: ThreadId) -> Result<Option<ThreadRow>, StateError> {
        self.noted(async {
            let mut connection = self.reader().await?;
            let mut sql = QueryBuilder::new(format!(
                "SELECT {THREAD_COLUMNS} FROM rollouts WHERE stands = 1 AND thread = "
            ));
            sql.push_bind(row::id_bytes(id)).push(" ORDER BY archived LIMIT 1");
            let found = sql.build().fetch_optional(&mut *connection).await?;
            found.map(|found| row::thread_row(&self.home, &found)).transpose()
        })
        .await
    }

    /// Returns the rows of a page in order, and one more where others follow.
    pub async fn list(&self, query: &ListQuery) -> Result<Vec<ThreadRow>, StateError> {
        self.noted(async {
            let mut connection = self.reader().await?;
            let rows = page(query).build().fetch_all(&mut *connection).await?;
            let rows: Vec<_> =
                rows.iter().map(|found| row::thread_row(&self.home, found)).collect::<Result<_, _>>()?;
            // SQLite keeps no checksums: an index that tells another story than its table shows here, or nowhere.
            let answers = rows.iter().all(|row| query.admits(row) && query.is_after(row))
                && rows.is_sorted_by(|a, b| query.compare(a, b).is_lt());
            if answers { Ok(rows) } else { Err(nonsense("an index does not agree with its table")) }
        })
        .await
    }
}

/// Writes the statement of a page. Its text depends on which filters there are, not on their values (but for the place,
/// of which there are two), so that it is prepared once.
fn page(query: &ListQuery) -> QueryBuilder<Sqlite> {
    let ListQuery {
        archived,
        sort,
        direction,
        providers,
        default_provider,
        sources,
        cwds,
        search,
        parent,
        excluded,
        originators,
        ids,
        after,
        limit,
    } = query;
    let key = match sort {
        Sort::CreatedAt => "created_ms",
        Sort::UpdatedAt => "updated_ms",
    };
    let (order, beyond) = match direction {
        Direction::Desc => ("DESC", "<"),
        Direction::Asc => ("ASC", ">"),
    };
    let mut sql = QueryBuilder::new(format!("SELECT {THREAD_COLUMNS} FROM rollouts{}", index(query)));
    // Bound, it would have the statement planned again with each call: an index might hold for one value only.
    sql.push(format!(" WHERE stands = 1 AND preview IS NOT NULL AND archived = {}", u8::from(*archived)));
    if let Some(cwds) = cwds {
        match cwds.as_slice() {
            [cwd] => sql.push(" AND cwd = ").push_bind(cwd.clone()),
            cwds => among(sql.push(" AND cwd"), cwds),
        };
    }
    match after {
        Some(Position { key_ms, id: Some(id) }) => {
            sql.push(format!(" AND ({key}, thread) {beyond} (")).push_bind(*key_ms);
            sql.push(", ").push_bind(row::id_bytes(*id)).push(")");
        }
        Some(Position { key_ms, id: None }) => {
            sql.push(format!(" AND {key} {beyond} ")).push_bind(*key_ms);
        }
        None => {}
    }
    if let Some(providers) = providers {
        sql.push(" AND coalesce(provider, ").push_bind(default_provider.clone());
        among(sql.push(")"), providers);
    }
    if !sources.is_empty() {
        let words: Vec<_> =
            sources.iter().flat_map(|filter| filter.kinds()).map(|kind| kind.word()).collect();
        among(sql.push(" AND source_kind"), &words);
    }
    if let Some(originators) = originators {
        among(sql.push(" AND originator"), originators);
    }
    if let Some(ids) = ids {
        among_ids(sql.push(" AND thread"), ids);
    }
    if !excluded.is_empty() {
        among_ids(sql.push(" AND thread NOT"), excluded);
    }
    if let Some(parent) = parent {
        sql.push(" AND parent = ").push_bind(row::id_bytes(*parent));
    }
    if let Some(Search { term, named }) = search {
        sql.push(" AND (instr(preview, ").push_bind(term.clone());
        among_ids(sql.push(") > 0 OR thread"), named).push(")");
    }
    sql.push(format!(" ORDER BY {key} {order}, thread {order} LIMIT "));
    // A sum, since SQLite plans a statement again for each value of a bare variable here.
    sql.push_bind(*limit).push(" + 1");
    sql
}

/// Names the index to walk: the planner has no statistics, and would rather sort than walk.
fn index(query: &ListQuery) -> &'static str {
    if query.ids.is_some() {
        return " INDEXED BY rollouts_thread";
    }
    if query.parent.is_some() {
        return " INDEXED BY rollouts_parent";
    }
    let one_cwd = query.cwds.as_ref().is_some_and(|cwds| cwds.len() == 1);
    match (query.sort, one_cwd) {
        (Sort::CreatedAt, false) => " INDEXED BY rollouts_created",
        (Sort::UpdatedAt, false) => " INDEXED BY rollouts_updated",
        (Sort::CreatedAt, true) => " INDEXED BY rollouts_cwd_created",
        (Sort::UpdatedAt, true) => " INDEXED BY rollouts_cwd_updated",
    }
}

/// Values travel as hexadecimal digits: SQLite ends a JSON text at a NUL, and takes only so many bound values.
fn among<'a>(sql: &'a mut QueryBuilder<Sqlite>, values: &[impl AsRef<str>]) -> &'a mut QueryBuilder<Sqlite> {
    sql.push(" IN (SELECT CAST(unhex(value) AS TEXT) FROM json_each(");
    sql.push_bind(row::hex_list(values.iter().map(|value| value.as_ref().as_bytes()))).push("))")
}

fn among_ids<'a>(sql: &'a mut QueryBuilder<Sqlite>, ids: &[ThreadId]) -> &'a mut QueryBuilder<Sqlite> {
    let uuids: Vec<_> = ids.iter().map(ThreadId::as_uuid).collect();
    sql.push(" IN (SELECT unhex(value) FROM json_each(");
    sql.push_bind(row::hex_list(uuids.iter().map(|uuid| uuid.as_bytes().as_slice()))).push("))")
}

#[cfg(test)]
mod tests {
    use std::{cmp::Ordering, fs, slice};

    use pretty_assertions::assert_eq;
    use proptest::{collection::vec, option, prelude::*, sample::select};
    use rollout::Stamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        SourceFilter,
        testing::{TestHome, created, everything, id, name},
    };

    /// What the rows of a test differ in.
    #[derive(Clone, Debug)]
    struct Made {
        hour: u32,
        changed_ms: i64,
        archived: bool,
        provider: Option<&'static str>,
        source: Value,
        cwd: &'static str,
        originator: &'static str,
        preview: Option<&'static str>,
        parent: Option<u32>,
    }

    const PREVIEWS: [&str; 5] = ["100% sure", "100x sure", "a_b", "Größe", "naïve\u{0}tail"];
    const CWDS: [&str; 3] = ["/work", "/work/a", "/"];

    fn made() -> impl Strategy<Value = Made> {
        let sources = vec![
            Value::Null,
            json!("cli"),
            json!("exec"),
            json!("x"),
            json!({ "custom": "y" }),
            json!({ "subagent": "review" }),
            json!({ "subagent": { "other": "z" } }),
        ];
        (
            (0..4u32, 0..4i64, any::<bool>(), option::of(select(vec!["p", "q", "p\u{0}x"]))),
            (select(sources), select(&CWDS[..]), select(vec!["ide", "bot"])),
            (option::weighted(0.9, select(&PREVIEWS[..])), option::weighted(0.2, 0..20u32)),
        )
            .prop_map(
                |((hour, changed_ms, archived, provider), (source, cwd, originator), (preview, parent))| {
                    Made { hour, changed_ms, archived, provider, source, cwd, originator, preview, parent }
                },
            )
    }

    fn query() -> impl Strategy<Value = ListQuery> {
        let filters =
            vec![SourceFilter::Cli, SourceFilter::VsCode, SourceFilter::SubAgent, SourceFilter::Unknown];
        let ids = || vec((0..20u32).prop_map(id), 0..6);
        let owned = |values: &'static [&'static str], most: usize| {
            option::weighted(0.3, vec(select(values).prop_map(str::to_owned), 0..=most))
        };
        let terms = select(vec!["%", "_", "sure", "größe", "Größe", "\u{0}t", ""]);
        (
            (any::<bool>(), any::<bool>(), any::<bool>(), 0..4u32),
            (
                owned(&["p", "p\u{0}x", "default"], 2),
                vec(select(filters), 0..3),
                owned(&CWDS, 2),
                owned(&["ide", "x"], 1),
            ),
            (option::weighted(0.3, (terms, ids())), option::weighted(0.2, (0..20u32).prop_map(id))),
            (ids(), option::weighted(0.3, ids())),
            option::weighted(0.5, (0..4u32, -1..5i64, option::of((0..20u32).prop_map(id)))),
        )
            .prop_map(
                |(
                    (archived, by_change, ascending, limit),
                    (providers, sources, cwds, originators),
                    (search, parent),
                    (excluded, ids),
                    after,
                )| ListQuery {
                    archived,
                    sort: if by_change { Sort::UpdatedAt } else { Sort::CreatedAt },
                    direction: if ascending { Direction::Asc } else { Direction::Desc },
                    providers,
                    sources,
                    cwds,
                    search: search.map(|(term, named)| Search { term: term.into(), named }),
                    parent,
                    excluded,
                    originators,
                    ids,
                    after: after.map(|(hour, changed_ms, id)| Position {
                        key_ms: if by_change { changed_ms } else { created(hour).timestamp_millis() },
                        id,
                    }),
                    limit,
                    ..everything()
                },
            )
    }

    fn row(home: &TestHome, number: u32, made: &Made) -> ThreadRow {
        let path = if made.archived { home.archived_path(number) } else { home.path(number) };
        let summary = rollout::Summary {
            id: id(number),
            created_at: created(made.hour),
            cwd: made.cwd.into(),
            originator: made.originator.into(),
            cli_version: "1".into(),
            source: made.source.clone(),
            model_provider: made.provider.map(str::to_owned),
            model: Some("m".into()),
            reasoning_effort: None,
            preview: made.preview.map(str::to_owned),
            git: None,
            git_at: None,
            forked_from: None,
            parent: made.parent.map(id),
            history_mode: None,
        };
        let stamp = Stamp { size: 10, mtime_ns: made.changed_ms * 1_000_000 + 999, ino: u64::MAX };
        ThreadRow { summary, path, archived: made.archived, stamp }
    }

    /// The page that the rules make of the rows.
    fn expected(query: &ListQuery, rows: &[ThreadRow]) -> Vec<ThreadRow> {
        let mut page: Vec<_> =
            rows.iter().filter(|row| query.admits(row) && query.is_after(row)).cloned().collect();
        page.sort_by(|a, b| query.compare(a, b));
        page.truncate(query.limit as usize + 1);
        page
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn the_index_answers_what_the_rules_say(made in vec(made(), 0..20), queries in vec(query(), 40)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let home = TestHome::new();
                let rows: Vec<_> = made.iter().zip(0..).map(|(made, number)| row(&home, number, made)).collect();
                for row in &rows {
                    crate::testing::write(&row.path, ""); // a row without a file is not taken
                }
                let index = home.open().await;
                index.upsert(rows.clone()).await.unwrap();
                for query in queries {
                    prop_assert_eq!(index.list(&query).await.unwrap(), expected(&query, &rows), "{:?}", query);
                }
                for row in &rows {
                    let found = index.thread(row.summary.id).await.unwrap();
                    prop_assert_eq!(found.as_ref(), Some(row));
                }
                Ok(())
            })?;
        }
    }

    #[tokio::test]
    async fn a_page_walks_an_index_and_sorts_nothing() {
        let home = TestHome::new();
        let index = home.open().await;
        let one_cwd = || ListQuery { cwds: Some(vec!["/work".into()]), ..everything() };
        let by_change = || ListQuery { sort: Sort::UpdatedAt, ..everything() };
        for (query, walked) in [
            (everything(), "rollouts_created (archived=?)"),
            (by_change(), "rollouts_updated (archived=?)"),
            (one_cwd(), "rollouts_cwd_created (archived=? AND cwd=?)"),
            (ListQuery { sort: Sort::UpdatedAt, ..one_cwd() }, "rollouts_cwd_updated (archived=? AND cwd=?)"),
            (
                ListQuery { after: Some(Position { key_ms: 5, id: Some(id(1)) }), ..everything() },
                "rollouts_created (archived=? AND (created_ms,thread)<(?,?))",
            ),
            (
                ListQuery {
                    after: Some(Position { key_ms: 5, id: None }),
                    direction: Direction::Asc,
                    ..by_change()
                },
                "rollouts_updated (archived=? AND updated_ms>?)",
            ),
        ] {
            let query = ListQuery { sources: vec![SourceFilter::Cli, SourceFilter::VsCode], ..query };
            let mut sql = QueryBuilder::<Sqlite>::new("EXPLAIN QUERY PLAN ");
            sql.push(page(&query).into_string());
            let mut reader = index.reader().await.unwrap();
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(sqlx::AssertSqlSafe(sql.into_string())).fetch_all(&mut *reader).await.unwrap();
            let steps: Vec<_> = plan.into_iter().map(|(.., step)| step).collect();
            assert!(steps[0].ends_with(walked), "{steps:?}");
            assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
        }
    }

    #[tokio::test]
    async fn of_several_files_of_a_thread_the_newest_stands_for_it() {
        let home = TestHome::new();
        let plain = Made {
            hour: 1,
            changed_ms: 0,
            archived: false,
            provider: None,
            source: Value::Null,
            cwd: "/",
            originator: "x",
            preview: Some("first"),
            parent: None,
        };
        let first = row(&home, 1, &plain);
        let mut second = row(&home, 1, &Made { preview: Some("second"), ..plain.clone() });
        let segment = Some("67e55044-10b1-426f-9247-bb680e5fe0c8".parse().unwrap());
        second.path = home.home.active_path(&rollout::RolloutName { segment, ..name(1) });
        let archived = row(&home, 1, &Made { archived: true, preview: Some("archived"), ..plain });
        for order in [[&first, &second, &archived], [&archived, &second, &first]] {
            for row in order {
                crate::testing::write(&row.path, "");
            }
            let index = home.open().await;
            for row in order {
                index.upsert(vec![row.clone()]).await.unwrap();
            }
            // Written again, the older one does not come back.
            index.upsert(vec![first.clone()]).await.unwrap();
            assert_eq!(index.list(&everything()).await.unwrap(), [second.clone()]);
            let of_archived = ListQuery { archived: true, ..everything() };
            assert_eq!(index.list(&of_archived).await.unwrap(), slice::from_ref(&archived));
            assert_eq!(index.thread(id(1)).await.unwrap(), Some(second.clone()));
            index.forget(vec![second.path.clone()]).await.unwrap();
            assert_eq!(index.thread(id(1)).await.unwrap(), Some(second.clone()), "it is still there");
            fs::remove_file(&second.path).unwrap();
            index.forget(vec![second.path.clone()]).await.unwrap();
            assert_eq!(index.list(&everything()).await.unwrap(), slice::from_ref(&first));
            fs::remove_file(&first.path).unwrap();
            index.forget(vec![first.path.clone()]).await.unwrap();
            assert_eq!(index.thread(id(1)).await.unwrap(), Some(archived.clone()));
            index.close().await;
            fs::remove_dir_all(home.home.skein()).unwrap();
        }
    }

    #[test]
    fn rows_of_one_time_are_ordered_by_id_in_the_same_direction() {
        let home = TestHome::new();
        let plain = |preview| Made {
            hour: 1,
            changed_ms: 0,
            archived: false,
            provider: None,
            source: Value::Null,
            cwd: "/",
            originator: "x",
            preview,
            parent: None,
        };
        let (a, b) = (row(&home, 1, &plain(Some("a"))), row(&home, 2, &plain(Some("b"))));
        let ascending = ListQuery { direction: Direction::Asc, ..everything() };
        assert_eq!(ascending.compare(&a, &b), Ordering::Less);
        assert_eq!(everything().compare(&a, &b), Ordering::Greater);
        assert!(!everything().admits(&row(&home, 3, &plain(None))));
    }
}
