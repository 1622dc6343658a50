-- +goose Up
-- scheduling: ways of meeting, calendars read for busy times, calendars to subscribe to, and versions, so that whoever
-- changes something has seen what it is.

-- What is offered, continued.
alter table interview_type add column daily_most bigint not null default 0 check (daily_most >= 0); -- interviews of one interviewer on one day; 0 is no limit
alter table interview_type add column directions text not null default ''; -- how to find the place
alter table interview_type add column our_number text not null default ''; -- the participant rings this; empty: we ring the participant
alter table interview_type add column questions text not null default '';  -- sent where the interview is in writing
alter table interview_type add column named boolean not null default false; -- interviewers' invitations show who it is
alter table interview_type add column remind_hours bigint not null default 24 check (remind_hours >= 0); -- before the start; 0 is no reminder
alter table interview_type add column remind_call_hours bigint not null default 1 check (remind_call_hours >= 0); -- one more, by telephone and video
alter table interview_type add column version bigint not null default 1;

alter table interviewer add column holidays boolean not null default true; -- Norwegian public holidays are kept free
alter table interviewer add column version bigint not null default 1;

-- Both made anew: a check cannot be changed in place.
create table booking_next (
    id           text primary key,
    study_id     text not null,
    person_id    text not null,
    audience     text not null,
    language     text not null, -- the one it was made in; empty where staff made it
    mode         text not null check (mode in ('in_person', 'visit', 'phone', 'video', 'email')),
    starts_at    bigint not null, -- in writing: the first instant of the day on which the answers are due
    ends_at      bigint not null check (ends_at > starts_at),
    zone         text not null, -- the place's, IANA name
    person_zone  text not null, -- the one in which the participant chose the time; empty: the place's
    place        text not null, -- never a participant's own address: that is the vault's
    where_note   text not null, -- in the vault: where to come to, or which number to ring; empty where there is none
    message_note text not null, -- in the vault: what the team wrote to the participant about the latest change
    title        text not null, -- what the participant's calendar shows: a code
    retitled     bigint not null check (retitled >= 0), -- how often that was changed
    interviewers text not null, -- JSON list of accounts
    state        text not null check (state in ('booked', 'cancelled', 'done', 'no_show')),
    follow_up    boolean not null, -- staff said that this person has several interviews
    uid          text not null, -- the calendar object's, never changed
    sequence     bigint not null check (sequence >= 0), -- RFC 5546: rises with every change and with the cancellation
    moves        bigint not null check (moves >= 0), -- how often its time was changed
    moved_at     bigint not null, -- when it got the time that it has
    version      bigint not null check (version > 0), -- rises with everything that is written here
    made_by      text not null,
    created_at   bigint not null,
    changed_at   bigint not null
);
insert into booking_next select id, study_id, person_id, audience, language, mode, starts_at,
    case when mode = 'email' then starts_at + 86400000 else ends_at end, zone, '', place, '', '', 'appointment', 0,
    interviewers, state, follow_up, uid, sequence, case when state = 'cancelled' then sequence - 1 else sequence end,
    case when sequence > 0 and state = 'booked' then changed_at else created_at end, 1, made_by, created_at, changed_at from booking;
create table booking_cell_next (
    account_id text not null,
    cell       bigint not null, -- UTC milliseconds divided by 300,000
    span       bigint not null check (span >= 0), -- on the first cell of a booking how many there are, on the others 0
    study_id   text not null,
    booking_id text not null references booking_next (id),
    primary key (account_id, cell)
);
insert into booking_cell_next select c.account_id, c.cell,
    case when c.cell = f.first then f.span else 0 end, c.study_id, c.booking_id from booking_cell c
    join (select account_id, booking_id, min(cell) as first, count(*) as span from booking_cell group by account_id, booking_id) f
    on f.account_id = c.account_id and f.booking_id = c.booking_id
    join booking b on b.id = c.booking_id where b.mode <> 'email';
drop table booking_cell;
drop table booking;
alter table booking_next rename to booking;
alter table booking_cell_next rename to booking_cell;
create unique index booking_open on booking (person_id) where state = 'booked' and not follow_up;
create unique index booking_uid on booking (uid);
create index booking_person on booking (person_id);
create index booking_study on booking (study_id, starts_at);
create index booking_cell_booking on booking_cell (booking_id);
create index booking_cell_first on booking_cell (account_id, cell, span, booking_id) where span > 0; -- all that free times need

-- A calendar of an interviewer's elsewhere. Its address opens it to whoever has it, and is sealed under a key of its own.
create table calendar (
    id         text primary key,
    account_id text not null,
    name       text not null, -- what its owner calls it
    address    bytea not null, -- sealed
    etag       text not null,
    modified   text not null, -- the server's Last-Modified
    read_at    bigint not null, -- when its times were last known to be right; UTC milliseconds, 0: never
    tried_at   bigint not null,
    fault      text not null, -- code of what went wrong since; empty: nothing
    skipped    bigint not null, -- events that could not be read
    next_at    bigint not null, -- when it is asked again
    horizon    bigint not null -- until when its times are known
);
create index calendar_account on calendar (account_id);
create index calendar_due on calendar (next_at);
create table busy_time (
    calendar_id text not null references calendar (id) on delete cascade,
    from_ms     bigint not null,
    to_ms       bigint not null check (to_ms > from_ms),
    primary key (calendar_id, from_ms, to_ms)
);

-- The address at which an account's own appointments are read by its calendar program; a hash.
create table subscription (
    account_id text primary key,
    hash       text not null unique,
    made_at    bigint not null
);

-- +goose Down
drop table subscription;
drop table busy_time;
drop table calendar;
