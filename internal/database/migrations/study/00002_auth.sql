-- +goose Up
-- internal/auth: members of staff. They are not participants: their names stand here in the clear, as in the letter.
create table account (
    id         text primary key,
    email      text not null,        -- as typed
    email_key  text not null unique, -- folded, to recognise the same address
    name       text not null,
    language   text not null check (language in ('nb', 'nn', 'en')),
    password   text not null,        -- argon2id in PHC form; empty until an invitation is accepted
    created_at bigint not null
);

-- Links that work once. Using one deletes it.
create table one_time_link (
    hash       text primary key, -- SHA-256 of the token
    kind       text not null check (kind in ('setup', 'invite', 'sign_in')),
    account_id text references account (id),
    expires_at bigint not null,
    check ((kind = 'setup') = (account_id is null))
);
create unique index one_time_link_setup on one_time_link (kind) where kind = 'setup';
create index one_time_link_account on one_time_link (account_id);

create table session (
    hash       text primary key, -- SHA-256 of the token in the cookie
    kind       text not null check (kind in ('staff', 'participant')),
    account_id text references account (id), -- null for a participant
    study_id   text not null,                -- this and the next two are empty for staff
    person_id  text not null,
    link_id    text not null,
    created_at bigint not null,
    seen_at    bigint not null,
    check ((kind = 'staff') = (account_id is not null)),
    check ((kind = 'participant') = (person_id <> ''))
);
create index session_account on session (account_id);
create index session_person on session (person_id);

-- Passwords tried per address, whether or not somebody has it: otherwise the limit would tell who has an account.
create table sign_in_try (
    address text primary key, -- SHA-256 of the folded address
    since   bigint not null,  -- when the hour began
    tries   bigint not null check (tries > 0)
);

-- +goose Down
drop table sign_in_try;
drop table session;
drop table one_time_link;
drop table account;
