-- +goose Up
-- recruitment: what the list of candidates is found and sorted by, so that its first page costs the same however long it is.
alter table participant add column code_order bytea not null default ''; -- the code as people sort it (A2 before A10)
alter table participant add column stage text not null default ''; -- of the state, see Participant.Stage; '' in a tombstone
alter table participant add column last_at bigint not null default 0; -- the later of contacted_at and state_at, 0 if nothing happened yet
update participant set stage = case
    when code = '' then ''
    when state in ('no_answer', 'declined', 'cancelled', 'withdrawn', 'ineligible') then 'lost'
    when state = 'candidate' then 'not_asked'
    when state = 'contacted' or state = 'informed' and reached in ('candidate', 'contacted') then 'asked'
    when state in ('interested', 'informed', 'consented') then 'yes'
    when state = 'booked' then 'booked'
    else 'done' end;
update participant set last_at = case when contacted_at > state_at then contacted_at when state_at > created_at then state_at else contacted_at end;
create index participant_order on participant (study_id, code_order, code) where code <> '';
create index participant_stage on participant (study_id, stage, code_order, code) where code <> '';
create index participant_case on participant (study_id, case_id, code_order, code) where code <> '';
create index participant_last on participant (study_id, last_at, code_order, code) where code <> '';

-- By which numbers of employees a study tells sizes apart. Without a row it is the scheme 'thesis'.
create table size_scheme (
    study_id text primary key,
    name     text not null,
    micro    bigint not null check (micro >= 0),  -- most employees of a micro company; 0 where the scheme has none
    small    bigint not null check (small >= 0),  -- ... of a small one
    medium   bigint not null check (medium >= 0)  -- ... of a medium one; above is large
);

-- What a study wants to know of its candidates besides: a closed list of values, so that nobody can be named in one.
create table attribute (
    study_id text not null,
    key      text not null, -- never shown, kept when the name changes
    name     text not null,
    options  text not null, -- JSON list of the values, in order
    position bigint not null,
    primary key (study_id, key)
);
create table participant_attribute (
    person_id text not null references participant (person_id),
    key       text not null,
    study_id  text not null,
    value     text not null,
    primary key (person_id, key),
    foreign key (study_id, key) references attribute (study_id, key)
);
create index participant_attribute_value on participant_attribute (study_id, key, value);

-- +goose Down
drop table participant_attribute;
drop table attribute;
drop table size_scheme;
drop index participant_last;
drop index participant_case;
drop index participant_stage;
drop index participant_order;
alter table participant drop column last_at;
alter table participant drop column stage;
alter table participant drop column code_order;
