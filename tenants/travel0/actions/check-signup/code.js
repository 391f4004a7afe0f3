const THROW_AWAY = ["mailinator.example", "tempmail.example"];

/** Refuses sign-ups with throw-away addresses: booking confirmations would never arrive. */
exports.onExecutePreUserRegistration = async (event, api) => {
  const domain = (event.user.email ?? "").split("@").pop().toLowerCase();
  if (THROW_AWAY.includes(domain)) {
    api.access.deny("throw_away_address", "Please use an address that lasts longer than your trip.");
  }
};
