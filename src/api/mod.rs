//! The Management API client: one for every kind.
//!
//! [`Client::connect`] gets a token and says what it stands for (tenant, client, scopes); after that there are three verbs:
//! [`Client::get`] reads one object, [`Client::list`] reads a whole collection in whatever style its endpoint pages,
//! [`Client::send`] writes ([`Client::upload`] a file; [`Client::download`] reads what a job left). Each waits for its turn (rate limits, budget, concurrency), is repeated where a repetition is
//! safe, and ends in an answer or in a [`Failure`], which knows how to tell people what happened.
//!
//! A create is the one thing that is never sent twice: once a POST may have reached the server, a lost answer is
//! [`Failure::InDoubt`], and somebody has to look.

mod answer;
mod auth;
mod call;
mod client;
mod clock;
mod download;
mod error;
mod origin;
mod pace;
mod page;
mod settings;
mod transport;

#[cfg(test)]
mod tests;

pub use client::{Answer, Client, Statistics, Upload, Write};
pub use download::Download;
pub use error::{Cause, Failure};
pub use page::ListStyle;
pub use reqwest::Method;
pub use settings::{Credentials, Settings, SigningAlgorithm};
