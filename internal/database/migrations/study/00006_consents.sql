-- +goose Up
-- consents: a letter that is being written, one per audience and language. Fields such as {{title}} are not yet filled.
create table letter_draft (
    study_id text not null,
    audience text not null,
    language text not null,
    basis    text not null check (basis in ('consent', 'public_interest')), -- the legal basis that the text was written for
    title    text not null,
    body     text not null, -- Markdown
    saved_at bigint not null,
    saved_by text not null, -- audit actor
    primary key (study_id, audience, language)
);

-- consents: a published letter, never changed. All languages of one version are published together.
create table letter (
    id           text primary key,
    study_id     text not null,
    audience     text not null,
    language     text not null,
    basis        text not null check (basis in ('consent', 'public_interest')),
    version      bigint not null check (version > 0),
    title        text not null,
    brief        text not null, -- JSON, the short lines above the letter; hashed as it stands
    body         text not null, -- Markdown, filled
    items        text not null, -- JSON, what is asked; hashed as it stands
    hash         text not null, -- hex SHA-256 over all that a person reads
    published_at bigint not null,
    published_by text not null, -- account
    unique (study_id, audience, version, language)
);

-- consents: how many acts a person has made. Touching the row makes acts, and whoever asks the gate while writing, take turns.
create table consent_turn (
    person_id text primary key,
    study_id  text not null,
    acts      bigint not null check (acts > 0)
);

-- consents: one act of answering or withdrawing, never changed.
create table consent_act (
    id          text primary key,
    study_id    text not null,
    person_id   text not null,
    number      bigint not null check (number > 0), -- 1, 2, 3 … for this person; the newest answer to a purpose stands
    letter_id   text not null references letter (id),
    letter_hash text not null,
    language    text not null, -- in which the person read it
    means       text not null check (means in ('own_link', 'oral', 'paper', 'elsewhere', 'survey')),
    reference   text not null, -- where the paper lies: a number, never a name
    withdrawal  boolean not null,
    actor       text not null, -- audit actor who entered it
    at          bigint not null,
    unique (person_id, number)
);
create index consent_act_letter on consent_act (letter_id);

-- consents: the answer to each item of an act, with the words that were shown.
create table consent_item (
    person_id text not null,
    number    bigint not null,
    purpose   text not null,
    study_id  text not null,
    text      text not null,
    hint      text not null,
    answer    boolean not null,
    implied   boolean not null, -- left open after a no to taking part, and so a no
    primary key (person_id, number, purpose),
    foreign key (person_id, number) references consent_act (person_id, number)
);
create index consent_item_study on consent_item (study_id, person_id, number);

-- +goose Down
drop table consent_item;
drop table consent_act;
drop table consent_turn;
drop table letter;
drop table letter_draft;
