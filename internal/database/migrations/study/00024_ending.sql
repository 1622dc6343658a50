-- +goose Up
-- studies: how a study was ended for good, and once all is done its deletion certificate: counts and rules, nobody's id or code.
create table ending (
    study_id    text primary key,
    fate        text not null check (fate in ('delete', 'anonymise')),
    actor       text not null, -- audit actor; 'system' where the last day did it
    farewell    boolean not null, -- those who took part were to be told
    ends_on     text not null, -- the last day that the record promised
    proof_until bigint not null, -- UTC milliseconds; 0 where no proof of consent is kept
    begun_at    bigint not null,
    finished_at bigint not null, -- 0 while it goes on
    counts      text not null, -- JSON of numbers; '' before they were counted
    audit_hash  text not null, -- the newest of the chain when it was finished; '' before
    hash        text not null -- hex SHA-256 of the certificate; '' before
);

-- studies: warnings that were given of a study's end. The time that the server itself has seen pass since then is what lets a
-- study end by itself: a clock that jumps moves the date and not this.
create table end_warning (
    study_id text not null,
    ends_on  text not null, -- the last day that it warned of: a later one is warned of anew
    which    text not null check (which in ('6_months', '2_months', '1_month', '1_week', '1_day')),
    at       bigint not null,
    seen_at  bigint not null, -- when the server last looked at it
    waited   bigint not null, -- milliseconds
    primary key (study_id, ends_on, which)
);

-- +goose Down
drop table end_warning;
drop table ending;
