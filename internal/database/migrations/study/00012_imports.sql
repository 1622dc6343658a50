-- +goose Up
-- imports: a list of people that is taken into a study. The list itself lies sealed in the vault; here are numbers and codes.
create table import (
    id         text primary key,
    study_id   text not null,
    survey_id  text not null, -- the survey whose frame it goes into; '' for candidates
    state      text not null check (state in ('draft', 'running', 'done', 'failed')),
    mapping    text not null, -- JSON: which column holds what, by number, and codes; '' before somebody has said it
    total      bigint not null, -- rows to go through
    gone       bigint not null, -- rows gone through; of these, the following
    taken      bigint not null,
    duplicates bigint not null,
    barred     bigint not null, -- asked not to be contacted again: counted, never which
    refused    bigint not null,
    reason     text not null, -- a code: why it failed
    created_at bigint not null,
    ended_at   bigint not null -- 0 before
);
create index import_study on import (study_id, survey_id, created_at);
-- Imports into one study take turns: two of the same list at once would take everybody in twice.
create unique index import_running on import (study_id) where state = 'running';

-- +goose Down
drop table import;
