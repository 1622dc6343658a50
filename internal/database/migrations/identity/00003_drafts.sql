-- +goose Up
-- identities: a list of people that somebody handed in and nobody has taken into a study yet. Its rows are full of names:
-- they are sealed with a data key of the draft's own (its id is the key's), and go with that key when the list is taken in,
-- discarded, or a day old.
create table draft (
    id         text primary key,
    study_id   text not null,
    expires_at bigint not null
);
create table draft_part (
    draft_id text not null references draft (id),
    sheet    bigint not null, -- from 0; -1 is the description of the whole
    part     bigint not null, -- from 0, some hundred rows each
    sealed   bytea not null,  -- JSON
    primary key (draft_id, sheet, part)
);

-- +goose Down
drop table draft_part;
drop table draft;
