/**
 * Puts what our APIs and portals need into the tokens.
 * ##BRAND## claims live under ##CLAIMS_NAMESPACE##.
 */
exports.onExecutePostLogin = async (event, api) => {
  const namespace = "##CLAIMS_NAMESPACE##";
  const roles = event.authorization?.roles ?? [];

  api.idToken.setCustomClaim(`${namespace}/roles`, roles);
  api.accessToken.setCustomClaim(`${namespace}/roles`, roles);

  const level = event.user.app_metadata?.club_level;
  if (level) {
    api.idToken.setCustomClaim(`${namespace}/club_level`, level);
  }
  if (event.organization) {
    api.accessToken.setCustomClaim(`${namespace}/agency`, event.organization.name);
  }
};
