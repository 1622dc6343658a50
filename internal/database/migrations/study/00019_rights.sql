-- +goose Up
-- studies: the rest of what a letter tells, and what the study has chosen about leaving and ending.
alter table study add column special_categories boolean not null default false; -- GDPR article 9: consent is explicit, and given twice
alter table study add column minimum_age bigint not null default 0;      -- years; 0 is no limit
alter table study add column age_reason text not null default '';        -- why there is a limit
alter table study add column signature text not null default '' check (signature in ('', 'typed', 'drawn')); -- '' is the act itself
alter table study add column on_withdrawal text not null default 'delete' check (on_withdrawal in ('delete', 'anonymise'));
alter table study add column at_end text not null default 'delete' check (at_end in ('delete', 'anonymise'));
alter table study add column proof_months bigint not null default 12 check (proof_months >= 0); -- how long the proof of a consent outlives the person's data
alter table study add column closed_at bigint not null default 0;        -- when the study was ended for good; 0 is open

-- Texts of the record as a letter prints them, by language. A field without a row says what the starter letter says.
create table study_text (
    study_id text not null,
    language text not null,
    field    text not null, -- as in the letter's braces
    text     text not null,
    primary key (study_id, language, field)
);

-- What was changed in the record: never a person's data.
create table study_change (
    study_id text not null,
    seq      bigint not null,
    at       bigint not null,
    actor    text not null,
    field    text not null,
    was      text not null,
    became   text not null,
    primary key (study_id, seq)
);

-- consents: nothing but keeping may be done with this person's data for now (GDPR articles 18 and 21).
create table restriction (
    person_id text primary key,
    study_id  text not null,
    kind      text not null check (kind in ('restrict', 'object')),
    at        bigint not null,
    actor     text not null
);

-- consents: what a member of the team has to do by hand, such as answer a request or delete a recording elsewhere. The code is kept
-- beyond the person's erasure, until it is done: it is what the recording is labelled with.
create table task (
    id        text primary key,
    study_id  text not null,
    person_id text not null, -- '' once the person is erased, or where it is about nobody
    code      text not null, -- the participant's, such as A3; '' once it is done and the person erased
    kind      text not null,
    made_at   bigint not null,
    due_at    bigint not null, -- 0 where no law sets a day
    done_at   bigint not null, -- 0 is open
    done_by   text not null    -- audit actor
);
create index task_study on task (study_id, done_at, due_at);
create index task_person on task (person_id) where person_id <> '';

-- +goose Down
drop table task;
drop table restriction;
drop table study_change;
drop table study_text;
alter table study drop column closed_at;
alter table study drop column proof_months;
alter table study drop column at_end;
alter table study drop column on_withdrawal;
alter table study drop column signature;
alter table study drop column age_reason;
alter table study drop column minimum_age;
alter table study drop column special_categories;
