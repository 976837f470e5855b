//! The table `import_runs`.

use async_trait::async_trait;
use domain::{
    import::ImportRun,
    ports::{ImportRuns, StoreError},
    token::ImportId,
    trail::TrailName,
};
use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};

use crate::{SqlTransaction, value};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_runs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub officer: String,
    #[sea_orm(column_type = "Text")]
    pub extent: String,
    pub began_at: i64,
    pub seen_at: i64,
    #[sea_orm(column_type = "Text")]
    pub progress: String,
    #[sea_orm(column_type = "Text")]
    pub state: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<&ImportRun> for Model {
    type Error = StoreError;

    fn try_from(run: &ImportRun) -> Result<Self, StoreError> {
        Ok(Self {
            id: run.id.0,
            officer: run.officer.as_str().to_owned(),
            extent: value::json(&run.extent, "import_runs.extent")?,
            began_at: value::milliseconds(run.began_at),
            seen_at: value::milliseconds(run.seen_at),
            progress: value::json(&run.progress, "import_runs.progress")?,
            state: value::json(&run.state, "import_runs.state")?,
        })
    }
}

impl TryFrom<Model> for ImportRun {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: ImportId(row.id),
            officer: TrailName::of_record(row.officer),
            extent: value::read_json(&row.extent, "import_runs.extent")?,
            began_at: value::read_time(row.began_at, "import_runs.began_at")?,
            seen_at: value::read_time(row.seen_at, "import_runs.seen_at")?,
            progress: value::read_json(&row.progress, "import_runs.progress")?,
            state: value::read_json(&row.state, "import_runs.state")?,
        })
    }
}

#[async_trait]
impl ImportRuns for SqlTransaction {
    async fn insert_import_run(&mut self, run: &ImportRun) -> Result<(), StoreError> {
        self.insert(Model::try_from(run)?).await
    }

    async fn save_import_run(&mut self, run: &ImportRun) -> Result<(), StoreError> {
        let row = Model::try_from(run)?;
        self.save(
            Entity::update_many()
                .col_expr(Column::SeenAt, row.seen_at.into())
                .col_expr(Column::Progress, row.progress.into())
                .col_expr(Column::State, row.state.into())
                .filter(Column::Id.eq(row.id)),
        )
        .await
    }

    async fn import_run(&mut self, id: ImportId) -> Result<Option<ImportRun>, StoreError> {
        self.find(Entity::find_by_id(id.0)).await?.map(ImportRun::try_from).transpose()
    }

    async fn latest_import_runs(&mut self, limit: u64) -> Result<Vec<ImportRun>, StoreError> {
        let select = Entity::find().order_by_desc(Column::BeganAt).order_by_asc(Column::Id).limit(limit);
        self.list(select).await?.into_iter().map(ImportRun::try_from).collect()
    }
}
