function login(email, password, callback) {
  const user = { user_id: email };
  callback(null, user);
}
