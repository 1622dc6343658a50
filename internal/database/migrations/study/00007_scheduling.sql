-- +goose Up
-- scheduling: when interviewers have time. Wall times are local to the interviewer's zone and expanded when asked for.
create table interviewer (
    study_id   text not null,
    account_id text not null,
    zone       text not null, -- IANA name
    primary key (study_id, account_id)
);
create table week_window (
    study_id    text not null,
    account_id  text not null,
    weekday     bigint not null check (weekday between 0 and 6), -- Sunday is 0
    from_minute bigint not null check (from_minute >= 0), -- of the local day
    to_minute   bigint not null check (to_minute <= 1440 and to_minute > from_minute),
    primary key (study_id, account_id, weekday, from_minute),
    foreign key (study_id, account_id) references interviewer (study_id, account_id) on delete cascade
);
create table dated_range (
    id         text primary key,
    study_id   text not null,
    account_id text not null,
    extra      boolean not null, -- false: blocked
    from_wall  text not null, -- 2006-01-02T15:04
    to_wall    text not null check (to_wall > from_wall),
    foreign key (study_id, account_id) references interviewer (study_id, account_id) on delete cascade
);
create index dated_range_interviewer on dated_range (study_id, account_id);

-- What is offered to an audience.
create table interview_type (
    study_id       text not null,
    audience       text not null,
    minutes        bigint not null check (minutes > 0),
    buffer_before  bigint not null check (buffer_before >= 0), -- minutes
    buffer_after   bigint not null check (buffer_after >= 0),  -- minutes
    grid           bigint not null check (grid > 0), -- minutes from one offered start to the next
    notice_hours   bigint not null check (notice_hours >= 0),
    horizon_days   bigint not null check (horizon_days > 0),
    deadline_hours bigint not null check (deadline_hours >= 0),
    modes          text not null, -- JSON list, in the order in which they are offered
    interviewers   bigint not null check (interviewers between 1 and 2),
    place          text not null,
    video_room     text not null,
    primary key (study_id, audience)
);

create table booking (
    id           text primary key,
    study_id     text not null,
    person_id    text not null,
    audience     text not null,
    language     text not null, -- the one it was made in; empty where staff made it
    mode         text not null check (mode in ('in_person', 'phone', 'video', 'email')),
    starts_at    bigint not null,
    ends_at      bigint not null check (ends_at > starts_at),
    zone         text not null, -- the place's, IANA name
    place        text not null, -- never a participant's own address: that is the vault's
    interviewers text not null, -- JSON list of accounts
    state        text not null check (state in ('booked', 'cancelled', 'done', 'no_show')),
    follow_up    boolean not null, -- staff said that this person has several interviews
    uid          text not null, -- the calendar object's, never changed
    sequence     bigint not null check (sequence >= 0), -- RFC 5546: rises with every move and with the cancellation
    made_by      text not null,
    created_at   bigint not null,
    changed_at   bigint not null
);
create unique index booking_open on booking (person_id) where state = 'booked' and not follow_up;
create index booking_person on booking (person_id);
create index booking_study on booking (study_id, starts_at);

-- An interviewer's time in cells of five minutes, buffers included, whatever the study: the primary key makes double
-- booking impossible.
create table booking_cell (
    account_id text not null,
    cell       bigint not null, -- UTC milliseconds divided by 300,000
    study_id   text not null,
    booking_id text not null references booking (id),
    primary key (account_id, cell)
);
create index booking_cell_booking on booking_cell (booking_id);

-- Rows to be touched first, so that writers on PostgreSQL take turns instead of waiting for each other in a ring.
create table person_turn (
    person_id text primary key,
    study_id  text not null,
    turn      bigint not null
);
create table interviewer_turn (
    account_id text primary key,
    turn       bigint not null
);

-- +goose Down
drop table interviewer_turn;
drop table person_turn;
drop table booking_cell;
drop table booking;
drop table interview_type;
drop table dated_range;
drop table week_window;
drop table interviewer;
