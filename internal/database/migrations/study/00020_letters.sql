-- +goose Up
-- consents: what a draft tells in words of its own, and what its latest saving took out.
alter table letter_draft add column told text not null default '';    -- fields, separated by spaces
alter table letter_draft add column removed text not null default ''; -- one a line, such as <script>

-- consents: the record's words as they were when a letter was published, to say what a later version changes. Nobody is shown
-- them, so they are not hashed.
create table letter_words (
    letter_id text primary key references letter (id),
    study_id  text not null,
    words     text not null -- JSON, by field
);

-- consents: a round of mails to those who answered to an older letter.
create table letter_round (
    id       text primary key, -- the batch of its mails
    study_id text not null,
    audience text not null,
    version  bigint not null,  -- of the letter that they are told of
    ask      boolean not null, -- they are asked to answer again, not only told
    size     bigint not null,  -- how many mails were queued
    at       bigint not null,
    actor    text not null
);
create index letter_round_study on letter_round (study_id, at);

-- +goose Down
drop table letter_round;
drop table letter_words;
alter table letter_draft drop column removed;
alter table letter_draft drop column told;
