-- +goose Up
-- recruitment: the list of candidates finds and sorts by indexes, whatever is asked of it. Each filter has one in the order of
-- the codes; what most lists are narrowed by, stage and case, also in the order of what happened last and of the next try.
alter table participant add column title_fold text not null default ''; -- the title in lower case; '' in a tombstone
update participant set title_fold = replace(replace(replace(lower(title), 'Æ', 'æ'), 'Ø', 'ø'), 'Å', 'å');
drop index participant_next;
create index participant_next on participant (study_id, next_at, code_order, code) where next_at > 0;
create index participant_stage_next on participant (study_id, stage, next_at, code_order, code) where next_at > 0;
create index participant_case_next on participant (study_id, case_id, next_at, code_order, code) where next_at > 0;
create index participant_stage_last on participant (study_id, stage, last_at, code_order, code) where last_at > 0;
create index participant_case_last on participant (study_id, case_id, last_at, code_order, code) where last_at > 0;
create index participant_state on participant (study_id, state, code_order, code) where code <> '';
create index participant_size on participant (study_id, size, code_order, code) where code <> '';
create index participant_source on participant (study_id, source, code_order, code) where code <> '';
create index participant_relation on participant (study_id, relation, code_order, code) where code <> '';
create index participant_audience on participant (study_id, audience, code_order, code) where code <> '';
create index participant_led on participant (study_id, recruiter_id, code_order, code) where recruiter_id <> '';
create index participant_title on participant (study_id, title_fold, code_order, code) where title_fold <> '';
drop index participant_attribute_value;
create index participant_attribute_value on participant_attribute (study_id, key, value, person_id);

-- Views of that list that a team has named. What a view shows is stored as checked values, never as an address, and without
-- whom a candidate was led by: no view is about a person.
create table saved_view (
    study_id text not null,
    slot     bigint not null check (slot between 1 and 20),
    id       text not null unique,
    name     text not null,
    filter   text not null, -- JSON
    primary key (study_id, slot)
);
create unique index saved_view_name on saved_view (study_id, name);

-- +goose Down
drop table saved_view;
drop index participant_attribute_value;
create index participant_attribute_value on participant_attribute (study_id, key, value);
drop index participant_title;
drop index participant_led;
drop index participant_audience;
drop index participant_relation;
drop index participant_source;
drop index participant_size;
drop index participant_state;
drop index participant_case_last;
drop index participant_stage_last;
drop index participant_case_next;
drop index participant_stage_next;
drop index participant_next;
create index participant_next on participant (study_id, next_at) where next_at > 0;
alter table participant drop column title_fold;
