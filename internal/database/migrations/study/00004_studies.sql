-- +goose Up
create table study (
    id                 text primary key,
    title              text not null,
    purpose            text not null,
    questions          text not null, -- research questions, one per line
    institution        text not null,
    department         text not null,
    project_contact    text not null,
    supervisor         text not null,
    supervisor_contact text not null,
    officer            text not null,
    officer_contact    text not null,
    assessment         text not null,
    legal_basis        text not null check (legal_basis in ('consent', 'public_interest')),
    languages          text not null check (languages <> ''), -- codes with commas between, the main one first
    zone               text not null,
    starts_on          text not null, -- days of the study's zone, as 2006-01-02
    ends_on            text not null,
    duration           bigint not null check (duration > 0), -- of an interview, in minutes
    recording          boolean not null,
    created_at         bigint not null,
    check (starts_on <= ends_on)
);

create table study_case (
    id       text primary key,
    study_id text not null references study (id),
    code     text not null, -- capital letters; begins the codes of its participants
    name     text not null,
    pilot    boolean not null, -- a pre-study: its participants count in no goal and no funnel
    position bigint not null,
    unique (study_id, code)
);

create table audience (
    study_id text not null references study (id),
    key      text not null,
    name     text not null, -- empty: the interface's own word
    position bigint not null,
    primary key (study_id, key)
);

create table member (
    study_id   text not null references study (id),
    account_id text not null,
    role       text not null check (role in ('owner', 'researcher', 'supervisor', 'officer')),
    primary key (study_id, account_id)
);
create index member_account on member (account_id);

-- Whose data were erased and when, so that an erasure tried again is told once. The random id points nowhere.
create table erasure (
    person_id text primary key,
    study_id  text not null,
    erased_at bigint not null
);

-- +goose Down
drop table erasure;
drop table member;
drop table audience;
drop table study_case;
drop table study;
