exports.onExecutePostLogin = async () => {
  // before
};
