-- +goose Up
-- recruitment: who may take part, by pseudonym. A row outlives its person's erasure as a tombstone that holds nothing but
-- the study, the state 'withdrawn' and the stage reached, so that the funnel still adds up.
create table participant (
    person_id    text primary key,
    study_id     text not null,
    code         text not null, -- such as A3, upper case; '' in a tombstone
    case_id      text not null,
    audience     text not null check (audience in ('company', 'administration', '')), -- which letter is theirs
    relation     text not null check (relation in ('member', 'administration', 'board', '')), -- to the case
    size         text not null check (size in ('micro', 'small', 'medium', 'large', '')), -- '' where no company is behind
    title        text not null, -- generalised job title; the exact one is the vault's
    source       text not null, -- a code: how the team found them
    recruiter_id text not null, -- the participant who led to this one, or ''
    state        text not null check (state in ('candidate', 'contacted', 'interested', 'informed', 'consented', 'booked',
        'interviewed', 'surveyed', 'no_answer', 'declined', 'cancelled', 'withdrawn', 'ineligible')),
    reached      text not null check (reached in ('candidate', 'contacted', 'interested', 'informed', 'consented', 'booked',
        'interviewed', 'surveyed')), -- how far along the main line they came, whatever happened then
    state_at     bigint not null,
    created_at   bigint not null,
    contacted_at bigint not null, -- the latest entry of contact_log, 0 if none
    next_at      bigint not null, -- when to try again, 0 if no try is planned
    events       bigint not null check (events >= 0) -- numbers the rows of participant_change and contact_log
);
create unique index participant_code on participant (study_id, code) where code <> '';
create index participant_next on participant (study_id, next_at) where next_at > 0;
create index participant_recruiter on participant (recruiter_id) where recruiter_id <> '';

create table participant_change (
    person_id text not null references participant (person_id),
    seq       bigint not null,
    study_id  text not null,
    at        bigint not null,
    was       text not null,
    became    text not null,
    actor     text not null,
    primary key (person_id, seq)
);

-- No column for what was said: a note about a call would hold names. Notes are the vault's.
create table contact_log (
    person_id text not null references participant (person_id),
    seq       bigint not null,
    study_id  text not null,
    at        bigint not null,
    channel   text not null check (channel in ('phone', 'email', 'in_person', 'video', 'letter')),
    direction text not null check (direction in ('out', 'in')),
    outcome   text not null check (outcome in ('no_answer', 'call_back', 'interested', 'declined', 'letter_sent',
        'appointment', 'other')),
    next_at   bigint not null, -- 0 if no further try was planned
    actor     text not null,
    primary key (person_id, seq)
);

create table quota (
    study_id text not null,
    case_id  text not null,
    cell     text not null check (cell in ('administration', 'sme', 'large', 'any')),
    goal     bigint not null check (goal > 0),
    primary key (study_id, case_id, cell)
);

-- The highest number ever given in a case: the code of somebody erased is not given again, or an earlier workbook would
-- tell of two people as one.
create table code_number (
    study_id text not null,
    case_id  text not null,
    highest  bigint not null,
    primary key (study_id, case_id)
);

-- +goose Down
drop table code_number;
drop table quota;
drop table contact_log;
drop table participant_change;
drop table participant;
