-- +goose Up
-- recruitment: who is left of somebody whose study keeps what was said without them: a random id that was never theirs, their
-- case and an invented code. No time, and no order: the numbers are drawn.
create table anonymous (
    person_id text primary key,
    study_id  text not null,
    case_id   text not null,
    code      text not null,
    unique (study_id, code)
);

-- internal/audit: what an export asks before it hands out what it has read, and a withdrawal of what was handed out before.
create index audit_entry_leaving on audit_entry (study_id, seq) where action in ('person.withdrawn', 'person.erased', 'consent.withdrawn');
create index audit_entry_export on audit_entry (study_id, seq) where action = 'export.made';

-- +goose Down
drop index audit_entry_export;
drop index audit_entry_leaving;
drop table anonymous;
