exports.onExecutePostLogin = async (event, api) => {
  api.idToken.setCustomClaim("greeting", "hello");
};
