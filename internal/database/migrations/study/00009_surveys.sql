-- +goose Up
-- surveys: a questionnaire of one study. Its wording stands in survey_form, one row per version.
create table survey (
    id         text primary key,
    study_id   text not null,
    title      text not null, -- the newest form's title in its first language, for lists
    state      text not null check (state in ('draft', 'open', 'closed')),
    mode       text not null check (mode in ('linked', 'anonymous', 'open')), -- who can be told apart: see DESIGN 11
    version    bigint not null check (version > 0), -- of the newest form
    last_code  bigint not null check (last_code >= 0), -- number in the last code that the survey gave out itself
    created_at bigint not null,
    opened_at  bigint not null, -- first opening; 0 before it, and only then may a version still change
    closes_at  bigint not null  -- no answers from then on; 0 is no date
);
create index survey_study on survey (study_id, created_at);

create table survey_form (
    survey_id  text not null references survey (id),
    study_id   text not null,
    version    bigint not null check (version > 0),
    form       text not null, -- JSON
    created_at bigint not null,
    primary key (survey_id, version)
);

-- Who is asked. Deleting a row takes the person's answers along.
create table survey_respondent (
    survey_id  text not null references survey (id),
    person_id  text not null,
    study_id   text not null,
    code       text not null,
    code_order bytea not null, -- the code as people sort it (A2 before A10), in bytes that both engines compare alike
    case_id    text not null,
    role       text not null, -- generalised
    size       text not null,
    informant  boolean not null, -- was interviewed too; may be asked only while they agree to it
    state      text not null check (state in ('listed', 'invited', 'started', 'declined', 'out')), -- "answered" is read from the response
    invited_at bigint not null, -- 0 before the invitation
    primary key (survey_id, person_id),
    unique (survey_id, code)
);
create index survey_respondent_person on survey_respondent (person_id);
create index survey_respondent_order on survey_respondent (survey_id, code_order);

-- One JSON text per response: a row per answer costs 1.5 to 2.9 times as much to store and 22 times to count. It is the
-- draft until it is sent, so that sending changes one row in place and no index.
create table survey_response (
    survey_id    text not null,
    person_id    text not null,
    study_id     text not null,
    version      bigint not null, -- the form that the person began on, and finishes on
    page         bigint not null check (page >= 0), -- saved last, from 0
    answers      text not null, -- JSON
    revision     bigint not null, -- rises with each saving, so that what is sent is exactly what was checked
    saved_at     bigint not null,
    lang         text not null, -- the language it was sent in; empty before
    submitted_at bigint not null, -- 0 is a draft
    primary key (survey_id, person_id),
    foreign key (survey_id, person_id) references survey_respondent (survey_id, person_id) on delete cascade,
    foreign key (survey_id, version) references survey_form (survey_id, version)
);

-- +goose Down
drop table survey_response;
drop table survey_respondent;
drop table survey_form;
drop table survey;
