-- +goose Up
-- recruitment: the quotas as a matrix of kinds by cases. Four kinds are built in and have no row here.
create table quota_kind (
    study_id   text not null,
    kind       text not null,
    name       text not null, -- the team's own; '' is named by its conditions
    audience   text not null check (audience in ('company', 'administration', '')), -- '' is any, as below
    relation   text not null check (relation in ('member', 'administration', 'board', '')),
    size       text not null check (size in ('micro', 'small', 'medium', 'large', 'SMB', 'STOR', '')),
    attributes text not null, -- JSON object of the study's own attributes: value by key
    position   bigint not null,
    primary key (study_id, kind)
);

create table quota_cell (
    study_id text not null,
    case_id  text not null,
    kind     text not null, -- a built-in one or a row of quota_kind
    least    bigint not null check (least >= 0),
    most     bigint not null check (most = 0 or most >= least), -- 0: no upper limit
    primary key (study_id, case_id, kind),
    check (least > 0 or most > 0) -- a range that says nothing is no cell
);
insert into quota_cell (study_id, case_id, kind, least, most) select study_id, case_id, cell, goal, goal from quota;
drop table quota;

-- Touched first by whoever asks somebody, so that on PostgreSQL two do not take the last place of a cell together.
create table quota_turn (
    study_id text primary key,
    turn     bigint not null
);

-- What the quotas and the funnel count by, so that they are counted without reading anybody's row.
create index participant_figures on participant (study_id, stage, case_id, audience, relation, size, state, reached);

-- +goose Down
drop index participant_figures;
drop table quota_turn;
create table quota (
    study_id text not null,
    case_id  text not null,
    cell     text not null check (cell in ('administration', 'sme', 'large', 'any')),
    goal     bigint not null check (goal > 0),
    primary key (study_id, case_id, cell)
);
insert into quota (study_id, case_id, cell, goal) select study_id, case_id, kind, least from quota_cell
    where least > 0 and kind in ('administration', 'sme', 'large', 'any');
drop table quota_cell;
drop table quota_kind;
