-- +goose Up
-- identities: who an informant said we could ring, before that person knows. The identity lies beside it, sealed as any
-- other; nothing of it is in the study store. It ends by itself.
create table tip (
    person_id      text primary key references identity (person_id),
    study_id       text not null,
    from_person_id text not null, -- the informant; '' once they are erased
    created_at     bigint not null,
    expires_at     bigint not null, -- 0 is to be deleted at once
    taken          boolean not null -- is being made a candidate: not deleted meanwhile
);
create index tip_study on tip (study_id);
create index tip_from on tip (from_person_id);

-- +goose Down
drop table tip;
