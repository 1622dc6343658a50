-- +goose Up
-- identities: what the team wrote about contacts with a person. The study store knows a note by its id alone.
create table note (
    note_id    text primary key,
    person_id  text not null,
    study_id   text not null,
    sealed     bytea not null, -- the text, sealed with the person's data key and bound to this id
    written_at bigint not null
);
create index note_person on note (person_id);

-- +goose Down
drop table note;
