-- +goose Up
-- identities: who asked not to be contacted again, and nothing else of them: no person, no time. The hashes are made for
-- this purpose alone and match no other table. They outlive the person's erasure, or we would ask again by mistake.
create table no_contact (
    study_id text not null,
    hash     text not null, -- keyed hash of a normalised e-mail address or telephone number
    primary key (study_id, hash)
);

-- +goose Down
drop table no_contact;
