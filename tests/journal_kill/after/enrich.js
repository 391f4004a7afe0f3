exports.onExecutePostLogin = async () => {
  // after
};
