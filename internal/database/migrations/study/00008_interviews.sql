-- +goose Up
-- interviews: what was held, by pseudonym.
create table interview (
    id         text primary key,
    study_id   text not null,
    person_id  text not null,
    booking_id text not null, -- the appointment it was, empty where there was none
    mode       text not null check (mode in ('in_person', 'phone', 'video', 'email')),
    held_on    text not null check (length(held_on) = 10), -- local date, 2006-01-02
    started_at bigint not null check (started_at >= 0), -- UTC milliseconds, 0 where unknown
    minutes    bigint not null check (minutes >= 1 or minutes = -1), -- -1: has no duration, as by e-mail
    created_at bigint not null
);
create index interview_study on interview (study_id, person_id);
-- One appointment is one interview, however often its form is sent.
create unique index interview_booking on interview (booking_id) where booking_id <> '';

-- The coding matrix: themes of a study, and who mentioned them. The version makes those who change the list take turns.
create table coding_scheme (
    study_id text primary key,
    version  bigint not null check (version > 0)
);
create table coding_theme (
    study_id text not null,
    key      text not null, -- never shown, kept when the label changes
    category text not null, -- a key too, such as driver
    label    text not null, -- the researchers' word
    position bigint not null, -- place in the list, from 0
    primary key (study_id, key)
);
create table coding_mark (
    study_id  text not null,
    theme_key text not null,
    person_id text not null,
    mark      text not null check (mark in ('x', 'o')),
    marked_at bigint not null,
    primary key (study_id, theme_key, person_id),
    foreign key (study_id, theme_key) references coding_theme (study_id, key)
);
create index coding_mark_person on coding_mark (person_id);

-- +goose Down
drop table coding_mark;
drop table coding_theme;
drop table coding_scheme;
drop table interview;
