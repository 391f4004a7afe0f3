/** Puts the user's roles into the tokens. */
exports.onExecutePostLogin = async (event, api) => {
  const roles = event.authorization?.roles ?? [];
  api.idToken.setCustomClaim("roles", roles);
  api.accessToken.setCustomClaim("roles", roles);
};
