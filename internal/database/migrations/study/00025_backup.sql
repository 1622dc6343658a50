-- +goose Up
-- internal/mail: whose mail waits since a backup was put back, until somebody says what becomes of it. What waits in the copy
-- may have gone out after it was made.
create table quarantine (
    study_id    text primary key,
    made_at     bigint not null, -- when the copy was made
    restored_at bigint not null
);

-- +goose Down
drop table quarantine;
